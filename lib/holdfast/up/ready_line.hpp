// The line that says that a run is ready, of a run that ends right after it.
//
// The end of a process and what it has written come by different ways: the logs read its lines in a thread of their
// own. So the end of a run that is still `starting` waits until the logs have read what was written before it. A run
// that has written its line was ready, and then it ended.
//
// Thread-safety: none; on the executor.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/up/logs.hpp>

namespace holdfast::up {

class ReadyLineWatch {
 public:
  // `logs` outlives it.
  ReadyLineWatch(boost::asio::any_io_executor executor, Logs& logs, std::string service)
      : executor_(std::move(executor)), logs_(logs), service_(std::move(service)) {}

  // For ProcessService::find_lines_with().
  std::shared_ptr<void> find(const std::string& text, std::function<void()> found);

  // Calls `then` on the executor, once the lines that were written before are read; at the latest in ten seconds,
  // because the output may stand still. Its argument: the line was among all that the run has written.
  void settle(std::function<void(bool was_found)> then) const;

 private:
  const boost::asio::any_io_executor executor_;
  Logs& logs_;
  const std::string service_;
  std::shared_ptr<std::atomic<bool>> was_found_{};  // of the latest run
  std::shared_ptr<void> search_{};                  // the same
};

}  // namespace holdfast::up
