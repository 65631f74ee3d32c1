#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "parallel.hpp"

using namespace riata;

TEST_CASE("each chunk is worked on once, by any number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    for (const Index chunks : {0, 1, 2, 7, 1000}) {
      std::vector<int> seen(static_cast<std::size_t>(chunks), 0);
      parallel_for(chunks, threads, [&](Index chunk) { ++seen[static_cast<std::size_t>(chunk)]; });
      for (const int count : seen) CHECK(count == 1);
    }
  }
}

TEST_CASE("threads that end with the call do the same") {
  std::vector<int> seen(500, 0);
  on_std_threads(500, 4, [&](Index chunk) { ++seen[static_cast<std::size_t>(chunk)]; });
  for (const int count : seen) CHECK(count == 1);
}

TEST_CASE("the first exception ends the handing out of chunks and comes out") {
  for (const int threads : {1, 3}) {
    std::atomic<int> done{0};
    const auto fail = [&](Index chunk) {
      if (chunk == 5) throw std::runtime_error("five");
      ++done;
    };
    CHECK_THROWS_WITH_AS(parallel_for(100000, threads, fail), "five", std::runtime_error);
    CHECK(done < 100000);
  }
}

TEST_CASE("the thread that has a poll is asked between chunks, and others are not") {
  const std::thread::id mine = std::this_thread::get_id();
  for (const int threads : {1, 2}) {
    std::atomic<int> asked{0};
    std::atomic<bool> elsewhere{false};
    const Poll poll = [&] {
      ++asked;
      if (std::this_thread::get_id() != mine) elsewhere = true;
    };
    {
      const PollScope scope(poll);
      parallel_for(200, threads, [&](Index) {  // others leave something to this one
        while (std::this_thread::get_id() != mine && asked == 0) std::this_thread::yield();
      });
    }
    CHECK(asked > 0);
    CHECK(!elsewhere);
    const int before = asked;
    parallel_for(10, threads, [](Index) {});
    CHECK(asked == before);
  }
}
