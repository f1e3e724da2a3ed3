// The commands to a fleet that is up: who answers, and what an answer says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <holdfast/up/control_client.hpp>

namespace holdfast::tools {

// The fleet of a file, or without one the only one of this user that is up. Throws std::runtime_error: there is none.
holdfast::up::ControlClient client_of(const std::string& file);

// An answer. Throws std::runtime_error if it is none.
boost::json::object parsed_answer(const std::string& answer);

// In words, if the answer is no.
std::optional<std::string> refusal(const boost::json::object& answer);

// What stands at a key; empty or 0 if it is of another kind.
std::string text_at(const boost::json::object& object, std::string_view key);
std::int64_t number_at(const boost::json::object& object, std::string_view key);
// Names with blanks between.
std::string names_at(const boost::json::object& answer, std::string_view key);

}  // namespace holdfast::tools
