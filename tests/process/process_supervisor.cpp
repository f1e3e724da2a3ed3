// A program that supervises one process, to be killed by process_service_test: what becomes of the process then?
//
//     process_supervisor SCRIPT        supervises `sh -c SCRIPT` until it is killed
#include <cstdio>

#include <holdfast/asio/runtime.hpp>

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: process_supervisor SCRIPT\n");
    return 2;
  }
  holdfast::Runtime runtime;
  runtime.add({.name = "process"}, holdfast::Process{.command = {"/bin/sh", "-c", arguments[1]}}).value();
  return runtime.run_until_shutdown().suggested_exit_status();
}
