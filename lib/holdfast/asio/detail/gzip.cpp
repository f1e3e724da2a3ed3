#include <holdfast/asio/detail/gzip.hpp>

#include <zlib.h>

#include <array>
#include <new>
#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::detail {

namespace {

constexpr int kFastest = 1;      // metrics shrink to a twentieth all the same
constexpr int kGzip = 15 + 16;   // the largest window, with gzip's head and end
constexpr int kUsualMemory = 8;  // 256 KiB, as zlib has it
constexpr std::size_t kPiece = std::size_t{1} << 16;

}  // namespace

struct Gzip::Stream {
  z_stream z{};
  std::array<unsigned char, kPiece> made{};
};

Gzip::Gzip() : stream_(std::make_unique<Stream>()) {
  z_stream& z = stream_->z;
  if (deflateInit2(&z, kFastest, Z_DEFLATED, kGzip, kUsualMemory, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc{};
  z.next_out = stream_->made.data();
  z.avail_out = static_cast<uInt>(kPiece);
}

Gzip::~Gzip() { deflateEnd(&stream_->z); }

void Gzip::add(std::string_view text) {
  HOLDFAST_ASSERT(text.size() < std::size_t{1} << 31, "a piece of text is too long to be compressed at once");
  // zlib takes its input, which it only reads, by a pointer to non-const.
  stream_->z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream_->z.avail_in = static_cast<uInt>(text.size());
  run(Z_NO_FLUSH);
}

std::vector<std::string> Gzip::take() {
  run(Z_FINISH);
  return std::move(pieces_);
}

void Gzip::run(int flush) {
  z_stream& z = stream_->z;
  const auto take_made = [&] {
    const std::size_t size = kPiece - z.avail_out;
    if (size > 0) pieces_.emplace_back(reinterpret_cast<const char*>(stream_->made.data()), size);
    z.next_out = stream_->made.data();
    z.avail_out = static_cast<uInt>(kPiece);
  };
  for (;;) {
    const int result = deflate(&z, flush);
    HOLDFAST_ASSERT(result != Z_STREAM_ERROR, "zlib was used wrongly");
    if (z.avail_out == 0) {
      take_made();
      continue;
    }
    if (flush == Z_FINISH) take_made();
    return;
  }
}

}  // namespace holdfast::detail
