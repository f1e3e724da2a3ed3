// Takes descriptors, memory and the disk away from the program for a while, again and again.
//
// Thread-safety: Disk::is_full is safe in any thread, the rest of a Disk is the recorder's; Scarcity has a thread of
// its own.
#pragma once

#include <atomic>
#include <fstream>
#include <ios>
#include <streambuf>
#include <string>
#include <thread>

#include "disturbances.hpp"
#include "patients.hpp"

namespace soak {

// Where the recording goes: a file, which takes nothing while the disk is full.
class Disk final : public std::streambuf {
 public:
  // False: it cannot be written.
  [[nodiscard]] bool open(const std::string& path) { return file_.open(path, std::ios::out | std::ios::binary); }
  std::atomic<bool> is_full = false;

 private:
  int_type overflow(int_type character) override {
    return is_full ? traits_type::eof() : file_.sputc(traits_type::to_char_type(character));
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    return is_full ? 0 : file_.sputn(text, size);
  }
  int sync() override { return is_full ? -1 : file_.pubsync(); }

  std::filebuf file_;
};

class Scarcity {
 public:
  Scarcity(holdfast::Seed seed, Disturbances& disturbances, Disk& disk);
  // Gives all of it back.
  ~Scarcity();
  Scarcity(const Scarcity&) = delete;
  Scarcity& operator=(const Scarcity&) = delete;

 private:
  void run(holdfast::Seed seed);
  void take_away(Disturbance what, holdfast::Duration time, Dice& dice);

  Disturbances& disturbances_;
  Disk& disk_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

// Descriptors that are open in this program.
unsigned open_descriptors();

}  // namespace soak
