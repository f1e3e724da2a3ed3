// One probe under way: a connection, a request, or a command (probe.hpp).
//
// It ends once, within its timeout. A command that was killed may take longer to disappear; until then it is not over.
//
// Thread-safety: none; on the executor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/detail/identity.hpp>
#include <holdfast/asio/detail/probe_places.hpp>
#include <holdfast/asio/probe.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

struct ProbeResult {
  bool was_made = true;   // false: it says nothing about the process
  std::string trouble{};  // why it failed or could not be made; empty: a good answer
};

class ProbeAttempt {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  virtual ~ProbeAttempt() = default;
  // Calls `done` once, and never from within, unless it is cancelled before. Call it once. Throws std::bad_alloc; then
  // nothing was begun.
  virtual void begin(Done done) = 0;
  // What it has begun is ended, and what it has started is killed.
  virtual void cancel() noexcept = 0;
  // Nothing of it is left.
  [[nodiscard]] virtual bool is_over() const noexcept = 0;
};

// Whose process it is about, and how that runs.
struct Probed {
  std::shared_ptr<const Process> process;
  std::shared_ptr<const Identity> identity;
};

// `place` is given back when the attempt is over.
std::shared_ptr<ProbeAttempt> make_attempt(const boost::asio::any_io_executor& executor, const Probe& probe,
                                           Duration timeout, const Probed& probed, ProbePlaces::Place place);

}  // namespace holdfast::detail
