#include "io/bus_errors.hpp"

#ifndef _WIN32

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

namespace riata::bus_errors {
namespace {

constexpr std::uintptr_t kFree = 0, kTaken = 1;

struct Slot {
  std::atomic<std::uintptr_t> begin{kFree}, end{0};  // kTaken while it is filled in
  std::atomic<bool> happened{false};
};

constexpr std::size_t kSlots = 1024;
std::array<Slot, kSlots> slots;
const auto page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
// What the signal did without this handler: one for each time that this was put in its place, none of which is freed,
// for a handler may be at it.
std::atomic<const struct sigaction*> before{nullptr};
std::atomic<bool> installing{false}, passed_on{false};

/// Puts zeros where the mapping cannot be read, from the page of `at` to the end of its range: what cannot be read is
/// nearly always the end of a file. False when no range holds it.
bool cover(std::uintptr_t at) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin, end = slot.end;
    if (begin == kFree || begin == kTaken || at < begin || at >= end) continue;
    slot.happened = true;
    const std::uintptr_t page = at / page_size * page_size;
    void* const from = reinterpret_cast<void*>(page);
    return ::mmap(from, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  const int kept = errno;
  const bool by_access = info->si_code > 0;  // and not sent by a process
  if (by_access && cover(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    errno = kept;
    return;
  }
  // The access is made again after the return, and meets what was there before.
  struct sigaction fallback{};
  fallback.sa_handler = SIG_DFL;
  ::sigaction(signal, passed_on.exchange(true) ? &fallback : before.load(), nullptr);
  if (!by_access) ::raise(signal);
  errno = kept;
}

void install() {
  if (installing.exchange(true)) return;
  struct sigaction now{};
  const bool known = ::sigaction(SIGBUS, nullptr, &now) == 0;
  if (known && ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != on_bus_error)) {
    struct sigaction ours{};
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    before = new struct sigaction(now);
    passed_on = false;
    ::sigaction(SIGBUS, &ours, nullptr);
  }
  installing = false;
}

}  // namespace

Range watch(const std::uint8_t* begin, std::size_t size) {
  install();
  for (std::size_t k = 0; k < kSlots; ++k) {
    Slot& slot = slots[k];
    std::uintptr_t expected = kFree;
    if (!slot.begin.compare_exchange_strong(expected, kTaken)) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    slot.happened = false;
    slot.end = address + size;
    slot.begin = address;
    return static_cast<Range>(k);
  }
  return -1;
}

bool happened(Range range) {
  return range >= 0 && slots[static_cast<std::size_t>(range)].happened;
}

void forget(Range range) {
  if (range >= 0) slots[static_cast<std::size_t>(range)].begin = kFree;
}

}  // namespace riata::bus_errors

#endif
