// Where lines are written: a file of a service's own, which is renamed when it is full, or the standard output.
//
// Whole lines alone are written. If a write fails, the lines that it lost are counted, and what() says why; the next
// line that can be written begins a line of its own.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::up {

// What could not be written.
struct LostLines {
  std::uint64_t count = 0;
  int error = 0;  // the last errno
};

class LogFile {
 public:
  // A descriptor that stays open, such as that of standard output.
  explicit LogFile(int descriptor) : descriptor_(descriptor) {}
  // Opens the file, and makes the folder that it stands in. Throws std::runtime_error with the reason.
  LogFile(std::string path, std::uint64_t bytes_max, std::uint32_t keep);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Lines that end with a line feed. They are written at the next flush(), or before if there are many.
  std::string& pending() noexcept { return pending_; }
  void line_added() {
    if (pending_.size() >= kFlushAt) flush();
  }
  void flush();

  // What was lost since the last call.
  LostLines take_lost() noexcept;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  static constexpr std::size_t kFlushAt = std::size_t{256} * 1024;

  void write(std::string_view lines);
  std::size_t write_some(std::string_view text);
  void rotate();
  bool open();
  void lose(std::string_view lines, int error) noexcept;
  // How many bytes of whole lines still fit into the file.
  [[nodiscard]] std::size_t fitting(std::string_view lines) const noexcept;

  int descriptor_ = -1;
  std::string path_{};  // empty: not ours
  std::uint64_t bytes_max_ = 0;
  std::uint32_t keep_ = 0;
  std::uint64_t size_ = 0;
  bool torn_ = false;  // the last write ended within a line
  std::string pending_{};
  LostLines lost_{};
};

}  // namespace holdfast::up
