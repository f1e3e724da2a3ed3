// An event sink that throws now and then, against its contract.
//
// Thread-safety: none; all on the runtime's executor.
#pragma once

#include <stdexcept>

#include <holdfast/event.hpp>

#include "disturbances.hpp"
#include "memory.hpp"
#include "patients.hpp"

namespace soak {

class ThrowingSink final : public holdfast::EventSink {
 public:
  ThrowingSink(Disturbances& disturbances, holdfast::Seed seed) : disturbances_(disturbances), dice_(seed, "sink") {}

  void on_event(const holdfast::Event&) override {
    if (!disturbances_.has(Disturbance::throwing_sink) || dice_.up_to(999) != 0) return;
    disturbances_.happened(Disturbance::throwing_sink);
    const ReliableMemory reliable;
    throw std::runtime_error{"a sink throws"};
  }

 private:
  Disturbances& disturbances_;
  Dice dice_;
};

}  // namespace soak
