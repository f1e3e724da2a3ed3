// What a client of the control socket asks for, as one line of JSON:
//
//     {"do":"status"}
//     {"do":"restart","names":["web","db-1"]}
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::up {

struct Request {
  std::string what{};
  std::vector<std::string> names{};
  std::string problem{};  // what is wrong with the line; empty: nothing
};

Request parse_request(std::string_view line);

std::string request_text(std::string_view what, const std::vector<std::string>& names);

// `{"ok":false,"error":"…"}`, without a line feed.
std::string refusal_text(std::string_view error);

}  // namespace holdfast::up
