// Programs that this one starts.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <sys/types.h>

namespace holdfast::tools {

// A program cannot be started; what() says why.
class ChildTrouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ChildOutput {
  int status = 0;      // of its end: 0 to 255, or 128 and the signal that ended it
  std::string output;  // standard output and standard error together
  [[nodiscard]] bool ok() const noexcept { return status == 0; }
};

// Runs it to its end. Throws ChildTrouble if there is no such program.
ChildOutput run_child(const std::vector<std::string>& words, const std::string& input = "");

// A program that runs beside this one, without input; what it prints goes to standard error. If this one is killed, the
// kernel sends it SIGTERM. Signals of the terminal reach both.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words);
  ~Child();  // asks it to end, and waits for it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] bool runs();
  void send(int signal);

 private:
  pid_t pid_;
  bool over_ = false;
};

// A word of a command line of a shell, in quotes if need be.
std::string shell_word(const std::string& word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace holdfast::tools
