#include <holdfast/file/complaints.hpp>

#include <algorithm>

namespace holdfast::file {

void Complaints::add(Position at, std::string key, std::string says) {
  add_elsewhere(at, {file_, at.line, at.column, std::move(key), std::move(says)});
}

void Complaints::add_elsewhere(Position at, Complaint complaint) {
  if (!full()) found_.push_back({at, std::move(complaint)});
}

std::vector<Complaint> Complaints::in_order() const {
  auto ordered = found_;
  if (full()) ordered.pop_back();
  std::stable_sort(ordered.begin(), ordered.end(), [](const Placed& a, const Placed& b) { return a.at < b.at; });
  std::vector<Complaint> complaints;
  complaints.reserve(ordered.size() + 1);
  for (auto& placed : ordered) complaints.push_back(std::move(placed.complaint));
  if (full())
    complaints.push_back({file_, 0, 0, "", "there is more; these are " + std::to_string(kMax) + " complaints"});
  return complaints;
}

void Complaints::throw_if_any() const {
  if (!empty()) throw BadInput(in_order());
}

}  // namespace holdfast::file
