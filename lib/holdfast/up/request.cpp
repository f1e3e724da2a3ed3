#include <holdfast/up/request.hpp>

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include <holdfast/detail/text.hpp>

namespace holdfast::up {

namespace {

// A reader of the little JSON that a request needs: an object of texts, arrays of texts, numbers and truths.
class RequestReader {
 public:
  explicit RequestReader(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> text() {
    if (!take('"')) return std::nullopt;
    std::string read;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return read;
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c != '\\') {
        read += c;
      } else if (!escape(read)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::optional<std::vector<std::string>> texts() {
    std::vector<std::string> all;
    if (!take('[')) return std::nullopt;
    if (take(']')) return all;
    do {
      auto one = text();
      if (!one) return std::nullopt;
      all.push_back(std::move(*one));
    } while (take(','));
    if (!take(']')) return std::nullopt;
    return all;
  }

  std::optional<std::uint32_t> number() {
    skip_blanks();
    std::uint32_t read = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), read);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return read;
  }

  std::optional<bool> truth() {
    skip_blanks();
    for (const bool is : {true, false}) {
      const std::string_view word = is ? "true" : "false";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return is;
    }
    return std::nullopt;
  }

  bool is_over() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  // Of what names of services can have: the letters of one byte, and no pairs of surrogates.
  bool escape(std::string& to) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view kShort = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (const auto at = kShort.find(c); at != std::string_view::npos) {
      to += kMeant[at];
      return true;
    }
    return c == 'u' && unit(to);
  }

  bool unit(std::string& to) {
    constexpr std::size_t kDigits = 4;
    if (rest_.size() < kDigits) return false;
    unsigned code = 0;
    for (const char digit : rest_.substr(0, kDigits)) {
      const auto value = std::string_view{"0123456789abcdef"}.find(static_cast<char>(digit | 0x20));
      if (value == std::string_view::npos) return false;
      code = code * 16 + static_cast<unsigned>(value);
    }
    rest_.remove_prefix(kDigits);
    if (code >= 0xd800 && code <= 0xdfff) return false;
    if (code < 0x80) {
      to += static_cast<char>(code);
    } else if (code < 0x800) {
      to += static_cast<char>(0xc0U | (code >> 6));
      to += static_cast<char>(0x80U | (code & 0x3fU));
    } else {
      to += static_cast<char>(0xe0U | (code >> 12));
      to += static_cast<char>(0x80U | ((code >> 6) & 0x3fU));
      to += static_cast<char>(0x80U | (code & 0x3fU));
    }
    return true;
  }

  std::string_view rest_;
};

constexpr std::string_view kRequestForm = "is no request; allowed is one line like {\"do\":\"status\"}";

template <class To, class Value>
bool assign(To& to, std::optional<Value> value) {
  if (!value) return false;
  to = std::move(*value);
  return true;
}

// False: the value is not of its kind.
bool read_value(RequestReader& reader, const std::string& key, Request& request) {
  if (key == "do") return assign(request.what, reader.text());
  if (key == "names") return assign(request.names, reader.texts());
  if (key == "wait") return assign(request.wait, reader.truth());
  if (key == "timeout_ms") return assign(request.timeout_ms, reader.number());
  if (key == "signal") return assign(request.signal, reader.number());
  if (key == "dry_run") return assign(request.dry_run, reader.truth());
  if (key == "lines") return assign(request.lines, reader.number());
  if (key == "follow") return assign(request.follow, reader.truth());
  request.problem = "has the key " + holdfast::detail::quoted(key) +
                    "; allowed are do, names, wait, timeout_ms, signal, dry_run, lines and follow";
  return false;
}

bool read_request(RequestReader& reader, Request& request) {
  if (!reader.take('{')) return false;
  do {
    const auto key = reader.text();
    if (!key || !reader.take(':') || !read_value(reader, *key, request)) return false;
  } while (reader.take(','));
  return reader.take('}') && reader.is_over() && !request.what.empty();
}

}  // namespace

Request parse_request(std::string_view line) {
  RequestReader reader{line};
  Request request;
  if (!read_request(reader, request) && request.problem.empty()) request.problem = kRequestForm;
  return request;
}

void add_list(Answer& to, std::string& text, std::string_view key, const std::vector<std::string>& names) {
  to.key(key);
  text += '[';
  for (const auto& name : names) {
    if (text.back() != '[') text += ',';
    text += holdfast::detail::quoted(name);
  }
  text += ']';
}

std::string request_text(const Request& request) {
  std::string text;
  {
    Answer object{text};
    object("do", request.what);
    if (!request.names.empty()) add_list(object, text, "names", request.names);
    if (request.wait) object("wait", true);
    if (request.timeout_ms) object("timeout_ms", *request.timeout_ms);
    if (request.signal != 0) object("signal", request.signal);
    if (request.dry_run) object("dry_run", true);
    if (request.lines != 0) object("lines", request.lines);
    if (request.follow) object("follow", true);
  }
  return text;
}

std::string refusal_text(std::string_view error) {
  std::string text;
  {
    Answer answer{text};
    answer("ok", false);
    answer("error", error);
  }
  return text;
}

}  // namespace holdfast::up
