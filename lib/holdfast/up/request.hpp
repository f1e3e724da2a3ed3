// What a client of the control socket asks for, as one line of JSON:
//
//     {"do":"status"}
//     {"do":"restart","names":["web","db-1"],"wait":true,"timeout_ms":30000}
//     {"do":"signal","names":["web"],"signal":1}
//     {"do":"reload","dry_run":true}
//     {"do":"logs","names":["web"],"lines":10,"follow":true}
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/detail/json_object.hpp>

namespace holdfast::up {

// A line of either end of the socket.
using Answer = holdfast::detail::JsonObject<holdfast::detail::Nothing::written>;
// `text` is the answer's own.
void add_list(Answer& to, std::string& text, std::string_view key, const std::vector<std::string>& names);

struct Request {
  std::string what{};
  std::vector<std::string> names{};
  bool wait = false;                          // start, restart, stop: answer again when it has come to something
  std::optional<std::uint32_t> timeout_ms{};  // of that; nullopt: as long as it takes
  std::uint32_t signal = 0;                   // its number
  bool dry_run = false;                       // reload: only the plan
  std::uint32_t lines = 0;                    // logs, events: the last ones
  bool follow = false;                        // and those that come
  std::string problem{};                      // what is wrong with the line; empty: nothing
};

Request parse_request(std::string_view line);

std::string request_text(const Request& request);

// `{"ok":false,"error":"…"}`, without a line feed.
std::string refusal_text(std::string_view error);

}  // namespace holdfast::up
