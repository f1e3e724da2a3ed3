#include <holdfast/file/bad_input.hpp>

namespace holdfast::file {

namespace {

std::string lines_of(const std::vector<Complaint>& complaints) {
  std::string text;
  for (const auto& complaint : complaints) {
    if (!text.empty()) text += '\n';
    text += to_string(complaint);
  }
  return text;
}

}  // namespace

std::string to_string(const Complaint& complaint) {
  std::string text = complaint.file;
  if (complaint.line > 0) text += ':' + std::to_string(complaint.line);
  if (complaint.line > 0 && complaint.column > 0) text += ':' + std::to_string(complaint.column);
  text += ": ";
  if (!complaint.key.empty()) text += complaint.key + ": ";
  return text + complaint.says;
}

BadInput::BadInput(std::vector<Complaint> complaints)
    : std::runtime_error(lines_of(complaints)), complaints_(std::move(complaints)) {}

}  // namespace holdfast::file
