// A child for bench/peers: appends a byte to a file, so that its starts can be counted, then waits for a signal or
// ends.
//
//     counted_child FILE stay | end
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int file = ::open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0 || ::write(file, "x", 1) != 1) return 3;
  ::close(file);
  if (argv[2][0] == 's') ::pause();
  return 1;
}
