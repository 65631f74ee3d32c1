#include "riata/design/column_server.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "design/served_columns.hpp"
#include "io/memory_archive.hpp"
#include "parallel.hpp"
#include "path/served_fit.hpp"
#include "riata/error.hpp"

namespace riata {
namespace {

constexpr std::size_t kMostFits = 4;  // of one X at once

std::string answer_of(AnswerKind kind) {
  return to_bytes(kind);
}

std::string error(AnswerKind kind, const char* text, Index column = 0) {
  PartError told{text, column};
  return to_bytes(kind, told);
}

}  // namespace

struct ColumnServer::Impl {
  /// A fit, as far as it has come.
  struct Known {
    std::unique_ptr<ServedFit> fit;
    std::uint64_t epoch = 0;
    std::string last;  // the answer of that
    std::uint64_t used = 0;
  };

  std::shared_ptr<const Design> X;
  Index first;
  int threads;
  std::map<std::uint64_t, Known> fits;
  std::uint64_t uses = 0;

  std::string answer(std::string_view method, std::string_view common, std::string_view own) {
    MessageHead head;
    MemoryReader reader(own);
    reader(head);
    if (head.fit == 0) {
      return answer_of(AnswerKind::kAnswer) + answer_of_columns(*X, first, method, common, reader.left(), threads);
    }
    if (method == "end") {
      fits.erase(head.fit);
      return answer_of(AnswerKind::kAnswer);
    }
    return fit_answer(head, method, common, reader.left());
  }

  /// Fits whose process has died never end; of one that is dropped and has not, what is known is told again.
  void make_room() {
    while (fits.size() >= kMostFits) {
      fits.erase(std::min_element(fits.begin(), fits.end(),
                                  [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
  }

  /// What a fit asks changes what is known for it: a message is taken once, and only after those before it.
  std::string fit_answer(const MessageHead& head, std::string_view method, std::string_view common,
                         std::string_view own) {
    const auto known = fits.find(head.fit);
    if (known != fits.end() && known->second.epoch == head.epoch) return known->second.last;
    if (method == "begin") {
      fits.erase(head.fit);
      make_room();
      auto fit = std::make_unique<ServedFit>(*X, first, common, own, threads);
      std::string answer = answer_of(AnswerKind::kAnswer) + fit->first_answer();
      fits[head.fit] = {std::move(fit), head.epoch, answer, ++uses};
      return answer;
    }
    if (known == fits.end() || known->second.epoch + 1 != head.epoch) return answer_of(AnswerKind::kStale);
    Known& mine = known->second;
    mine.used = ++uses;
    try {
      mine.last = answer_of(AnswerKind::kAnswer) + mine.fit->answer(method, common, own);
    } catch (...) {
      fits.erase(known);  // half of a message may have been taken
      throw;
    }
    mine.epoch = head.epoch;
    return mine.last;
  }
};

ColumnServer::ColumnServer(std::shared_ptr<const Design> X, Index first, int threads) {
  if (X == nullptr) throw std::invalid_argument("X must be a design, got none");
  if (first < 0) throw std::invalid_argument("first must be >= 0, got " + std::to_string(first));
  if (threads < 1) throw std::invalid_argument("threads must be >= 1, got " + std::to_string(threads));
  held_as(*X);  // throws for what cannot be served
  impl_ = std::make_unique<Impl>(Impl{std::move(X), first, threads, {}});
}

ColumnServer::~ColumnServer() = default;

std::string ColumnServer::answer(std::string_view method, std::string_view common, std::string_view own,
                                 const Poll& poll) {
  struct Stopped {
    std::exception_ptr why;
  };
  const Poll check = [&] {
    try {
      if (poll) poll();
    } catch (...) {
      throw Stopped{std::current_exception()};
    }
  };
  try {
    const PollScope polling(check);
    return impl_->answer(method, common, own);
  } catch (const Stopped& stopped) {
    std::rethrow_exception(stopped.why);
  } catch (const NonFiniteError& e) {
    return error(AnswerKind::kNonFinite, e.what(), e.column);
  } catch (const std::invalid_argument& e) {
    return error(AnswerKind::kInvalid, e.what());
  } catch (const FileError& e) {
    return error(AnswerKind::kFile, e.what());
  } catch (const std::exception& e) {
    return error(AnswerKind::kFailed, e.what());
  }
}

}  // namespace riata
