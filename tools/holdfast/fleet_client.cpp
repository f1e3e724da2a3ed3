#include "fleet_client.hpp"

#include <filesystem>
#include <stdexcept>

#include <holdfast/file/fleet.hpp>
#include <holdfast/up/control_path.hpp>

namespace holdfast::tools {

namespace fs = std::filesystem;
namespace json = boost::json;
using holdfast::up::ControlClient;

namespace {

ControlClient the_one_that_is_up() {
  std::vector<fs::path> alive;
  for (const auto& socket : holdfast::up::known_sockets()) {
    try {
      const ControlClient client{socket};
      alive.push_back(socket);
    } catch (const std::runtime_error&) {  // a leftover
    }
  }
  if (alive.empty())
    throw std::runtime_error{"no fleet of this user is up; name its file if it has a control socket of its own"};
  if (alive.size() == 1) return ControlClient{alive.front()};
  std::string names;
  for (const auto& socket : alive) names += (names.empty() ? "" : ", ") + socket.stem().string();
  throw std::runtime_error{"several fleets are up: " + names + "; name the file of one"};
}

}  // namespace

ControlClient client_of(const std::string& file) {
  if (file.empty()) return the_one_that_is_up();
  return ControlClient{holdfast::up::control_path(holdfast::file::read_fleet(file), file)};
}

json::object parsed_answer(const std::string& answer) {
  json::error_code error;
  auto value = json::parse(answer, error);
  if (error || !value.is_object())
    throw std::runtime_error{"the answer of \"holdfast up\" is no JSON: is it another version?"};
  return value.as_object();
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view{key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string{value->as_string().c_str()} : "";
}

std::int64_t number_at(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view{key.data(), key.size()});
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

// In words, if the answer is no.
std::optional<std::string> refusal(const json::object& answer) {
  const auto* const ok = answer.if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->as_bool()) return std::nullopt;
  return text_at(answer, "error");
}

std::string names_at(const json::object& answer, std::string_view key) {
  std::string names;
  const auto* const value = answer.if_contains(json::string_view{key.data(), key.size()});
  if (value == nullptr || !value->is_array()) return names;
  for (const auto& name : value->as_array()) {
    if (name.is_string()) names += (names.empty() ? "" : " ") + std::string{name.as_string().c_str()};
  }
  return names;
}

}  // namespace holdfast::tools
