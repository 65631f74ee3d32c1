#include "path/hosted_parts.hpp"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

#include "io/memory_archive.hpp"
#include "path/message_checks.hpp"
#include "path/path_fit.hpp"

namespace riata {
namespace {

Vec some(const Vec& values, Index first, Index last) {
  return values.size() > 0 ? Vec(values.segment(first, last - first)) : Vec();
}

void number_from(std::vector<Index>& features, Index first) {
  for (Index& j : features) j += first;
}

void number_from(std::vector<Candidate>& candidates, Index first) {
  for (Candidate& candidate : candidates) candidate.second += first;
}

}  // namespace

void validate_hosted(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options) {
  if (!is_hosted(X)) return;
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("X must be in this process " + what + ", got one that others hold");
  };
  if (options.penalty.is<penalties::Slope>()) refuse("with penalty \"slope\", which ties all of its columns");
  if (options.l1_ratio == 0.0) refuse("where l1_ratio is 0, which keeps all of its columns at hand");
  if (!features.column.empty()) refuse("where groups overlap");
  if (PathFit::keeps_gram(X, options, problems.size() == 1)) {
    refuse("where it has fewer columns than rows and no more than a few thousand, which are all kept at hand");
  }
}

HostedParts::HostedParts(const Design& X, PartLayout layout, const PathOptions& options, const Features& features,
                         double copy_share, Counters& counters)
    : X_(X),
      cuts_(std::move(layout.cuts)),
      calls_(std::move(layout.host), static_cast<Index>(cuts_.size()) - 1,
             [this](Parts& parts) { begin_again(parts); }),
      options_(options),
      features_(features),
      rounded_(RoundedProducts::of_share(X, copy_share, 0, 0)),
      copy_share_(copy_share),
      counters_(counters),
      moves_(cuts_.size() - 1) {
  check_places();
}

/// Columns are bounded in vectors of 16: elsewhere in one than in this process they might be read where they need not.
void HostedParts::check_places() const {
  for (std::size_t k = 0; k + 1 < cuts_.size(); ++k) {
    if (cuts_[k] % 16 == 0) continue;
    for (Index j = cuts_[k]; j < cuts_[k + 1]; ++j) {
      if (features_.factor(j) == 0.0 || features_.factor(j) == kInfinity) continue;
      throw std::invalid_argument(
          "penalised columns beside those that other processes hold must begin at a multiple of 16, got column " +
          std::to_string(cuts_[k]));
    }
  }
}

std::size_t HostedParts::part_of(Index feature) const {
  const auto after = std::upper_bound(cuts_.begin(), cuts_.end(), feature);
  return static_cast<std::size_t>(after - cuts_.begin()) - 1;
}

/// What the first message tells one part.
std::string HostedParts::features_of(Index part) const {
  const Index first = cuts_[static_cast<std::size_t>(part)], last = cuts_[static_cast<std::size_t>(part) + 1];
  PartFeatures out;
  out.penalty_factor = some(features_.penalty_factor, first, last);
  out.lower = some(features_.lower, first, last);
  out.upper = some(features_.upper, first, last);
  if (features_.group.empty()) return to_bytes(out);
  out.group.assign(features_.group.begin() + first, features_.group.begin() + last);
  std::vector<Index> numbers = out.group;
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (Index& group : out.group) {
    group = std::lower_bound(numbers.begin(), numbers.end(), group) - numbers.begin();
  }
  out.group_weights.resize(static_cast<Index>(numbers.size()));
  for (std::size_t g = 0; g < numbers.size(); ++g) {
    out.group_weights[static_cast<Index>(g)] = features_.group_weights[numbers[g]];
  }
  return to_bytes(out);
}

void HostedParts::first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means,
                             std::vector<Vec>& variances, std::uint64_t* digest) {
  FitBeginning beginning;
  beginning.fit_intercept = options_.fit_intercept;
  beginning.standardize = options_.standardize;
  beginning.digest = digest != nullptr;
  beginning.l1_ratio = options_.l1_ratio;
  beginning.copy_share = copy_share_;
  beginning.penalty = options_.penalty;
  beginning.weights = PackedWeights(weights);
  beginning.null_u = null_u;
  beginning_ = to_bytes(beginning);
  null_known_ = null_u.cols() > 0;
  means.assign(static_cast<std::size_t>(weights.cols()), Vec(X_.cols()));
  variances = means;
  if (rounded_.copies()) copy_errors_.resize(X_.cols());
  const std::vector<std::string> answers =
      calls_.ask("begin", beginning_, calls_.all(), [this](Index part) { return features_of(part); });
  for (std::size_t k = 0; k < answers.size(); ++k) {
    FirstPassAnswer answer;
    from_bytes(answers[k], answer);
    const Index first = cuts_[k], size = cuts_[k + 1] - first;
    check_answer(answer, weights.cols(), size, rounded_.copies());
    for (std::size_t f = 0; f < means.size(); ++f) {
      means[f].segment(first, size) = answer.means[f];
      variances[f].segment(first, size) = answer.variances[f];
    }
    if (rounded_.copies()) copy_errors_.segment(first, size) = answer.copy_errors;
    if (digest != nullptr) *digest += answer.digest;
    counters_.columns_streamed += answer.streamed;
  }
  counters_.products += static_cast<double>(null_u.cols());
}

/// For parts that have been lost.
void HostedParts::begin_again(Parts& parts) {
  if (!begun_) return;  // the first message is among those that are kept
  calls_.tell("begin", beginning_, parts, [this](Index part) { return features_of(part); });
  recall(parts);
}

/// Tells parts what the records have, for one more reading of what they hold.
void HostedParts::recall(Parts& parts) {
  for (std::size_t f = 0; f < known_; ++f) {
    Recall& known = records_[f].known();
    MemoryWriter common;
    common(problems_[f], known.blocks);
    calls_.tell("remember", common.take(), parts, [&](Index part) {
      const std::size_t k = static_cast<std::size_t>(part);
      Recall mine = known.part(cuts_[k], cuts_[k + 1]);
      return to_bytes(mine.marks, mine.held);
    });
  }
  calls_.tell("recall", {}, parts, [](Index) { return std::string(); });
}

Index HostedParts::add_problem(const PenaltyFamily& /*penalty*/, const StandardizedColumns& /*columns*/,
                               const ColumnNorms& norms, Index outputs, bool full_working_set, int /*threads*/) {
  problems_.push_back({outputs, full_working_set, norms.largest_norm, norms.largest_weight});
  records_.emplace_back(X_.cols(), outputs);
  null_.push_back(false);
  lambdas_.push_back(0);
  rounds_.emplace_back();
  answers_.emplace_back();
  return static_cast<Index>(problems_.size()) - 1;
}

void HostedParts::move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) {
  records_[static_cast<std::size_t>(problem)].move(into_work, out_of_work);
  std::vector<Move> moves(moves_.size(), Move{problem, {}, {}});
  for (const Index j : into_work) moves[part_of(j)].into_work.push_back(j - cuts_[part_of(j)]);
  for (const Index j : out_of_work) moves[part_of(j)].out_of_work.push_back(j - cuts_[part_of(j)]);
  for (std::size_t k = 0; k < moves.size(); ++k) {
    if (moves[k].into_work.empty() && moves[k].out_of_work.empty()) continue;
    moves_[k].push_back(std::move(moves[k]));
  }
}

/// What the last round has read is known from now on.
void HostedParts::settle() {
  for (std::size_t f = 0; f < rounds_.size(); ++f) {
    if (!rounds_[f]) continue;
    Round& round = *rounds_[f];
    records_[f].open(std::move(round.sides), round.forgotten);
    HeldNumbers held;
    for (std::size_t k = 0; k < round.read.size(); ++k) {
      for (const Index j : round.read[k].columns(cuts_[k + 1] - cuts_[k])) records_[f].read(cuts_[k] + j);
      for (const Index j : round.held[k].columns) held.columns.push_back(cuts_[k] + j);
      held.numbers.insert(held.numbers.end(), round.held[k].numbers.begin(), round.held[k].numbers.end());
    }
    records_[f].hold(held);
    rounds_[f].reset();
  }
  calls_.forget_log();
  begun_ = true;
  known_ = told_;
}

std::vector<std::string> HostedParts::ask_all(std::string_view method, std::vector<Question> questions,
                                              const std::string& beside) {
  settle();
  if (goes_on_) {
    goes_on_ = false;
    known_ = told_ = problems_.size();
    calls_.tell_all([this](Parts& parts) { recall(parts); });
  }
  std::vector<NewProblem> fresh(problems_.begin() + static_cast<std::ptrdiff_t>(told_), problems_.end());
  told_ = problems_.size();
  return calls_.ask(method, to_bytes(fresh, questions) + beside, calls_.all(), [this](Index part) {
    std::vector<Move> moves = std::exchange(moves_[static_cast<std::size_t>(part)], {});
    return to_bytes(moves);
  });
}

/// No more candidates than a fit chooses at most (PathFit::select_candidates) are of use to it.
Question HostedParts::question(Index problem, std::span<const ScreeningQuery> round) const {
  return {problem, std::max<Index>(1000, X_.rows()), {round.begin(), round.end()}};
}

std::vector<Candidate> HostedParts::candidates(Index problem, const ScreeningQuery& query) {
  std::vector<Candidate> out;
  const std::vector<std::string> answers = ask_all("candidates", {question(problem, {&query, 1})});
  for (std::size_t k = 0; k < answers.size(); ++k) {
    std::vector<std::vector<Candidate>> found;
    from_bytes(answers[k], found);
    if (found.size() != 1) throw std::runtime_error("a part of X must answer for each problem");
    check_candidates(found.front(), cuts_[k + 1] - cuts_[k]);
    number_from(found.front(), cuts_[k]);
    out.insert(out.end(), found.front().begin(), found.front().end());
  }
  return out;
}

PartAnswer& HostedParts::answer_of(Index problem, Index part) {
  std::vector<PartAnswer>& mine = answers_[static_cast<std::size_t>(problem)];
  mine.resize(moves_.size());
  return mine[static_cast<std::size_t>(part)];
}

/// Returns which parts have columns that are undecided still.
std::vector<bool> HostedParts::take(Stage stage, std::span<const Index> problems, const Parts& parts,
                                    const std::vector<std::string>& answers) {
  std::vector<bool> undecided(parts.size(), false);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const Index first = cuts_[static_cast<std::size_t>(parts[k])];
    const Index cols = cuts_[static_cast<std::size_t>(parts[k]) + 1] - first;
    std::vector<PartAnswer> found;
    MemoryReader reader(answers[k]);
    reader(found);
    if (found.size() != problems.size()) throw std::runtime_error("a part of X must answer for each problem");
    for (std::size_t i = 0; i < problems.size(); ++i) {
      std::optional<Round>& round = rounds_[static_cast<std::size_t>(problems[i])];
      const std::size_t part = static_cast<std::size_t>(parts[k]);
      const std::size_t problem = static_cast<std::size_t>(problems[i]);
      check_answer(found[i], lambdas_[problem], problems_[problem].outputs, cols);
      const Index left = found[i].undecided, unbounded = found[i].unbounded;
      if ((stage == Stage::kBound && left != unbounded) || (stage == Stage::kBoundAndRead && left > unbounded)) {
        throw std::runtime_error("a part of X must say how many columns it bounds");
      }
      if (stage == Stage::kBoundAndRead && static_cast<Index>(found[i].read.columns(cols).size()) != unbounded) {
        throw std::runtime_error("a part of X must read the columns that it could not bound");
      }
      if (stage == Stage::kRead || stage == Stage::kBoundAndRead) round->read[part] = std::move(found[i].read);
      if (stage == Stage::kReadExactly) round->held[part] = std::move(found[i].held);
      undecided[k] = undecided[k] || found[i].undecided > 0;
      number_from(found[i].found.candidates, first);
      for (Violators& beyond : found[i].found.violators) number_from(beyond.features, first);
      answer_of(problems[i], parts[k]) = std::move(found[i]);
    }
    if (stage == Stage::kBound) continue;
    ReadingCost cost;
    reader(cost);
    counters_.columns_streamed += cost.streamed;
    counters_.products += cost.products * static_cast<double>(cols) / static_cast<double>(X_.cols());
  }
  return undecided;
}

void HostedParts::bound(std::span<Ask> asks, int /*threads*/) {
  if (asks.empty()) return;
  std::vector<Question> questions;
  std::vector<Index> problems;
  for (const Ask& each : asks) {
    problems.push_back(each.problem);
    questions.push_back(question(each.problem, each.round));
    lambdas_[static_cast<std::size_t>(each.problem)] = each.round.size();
    null_[static_cast<std::size_t>(each.problem)] = !(each.round.front().lambda < kInfinity);
  }
  const Parts parts = calls_.all();
  std::vector<const Reading*> ahead;
  for (const Ask& each : asks) {
    if (each.ahead != nullptr) ahead.push_back(each.ahead);
  }
  ahead_.reset();
  if (ahead.size() < asks.size()) {
    take(Stage::kBound, problems, parts, ask_all("bound", std::move(questions)));
  } else {
    std::vector<Round> kept;
    const std::string sides = sides_to_read(ahead, kept);
    const std::vector<std::string> answers = ask_all("bound and read", std::move(questions), sides);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      rounds_[static_cast<std::size_t>(problems[i])] = std::move(kept[i]);
    }
    ahead_ = take(Stage::kBoundAndRead, problems, parts, answers);
  }
  for (Ask& each : asks) {
    const std::size_t problem = static_cast<std::size_t>(each.problem);
    for (const PartAnswer& answer : answers_[problem]) each.undecided += answer.unbounded;
    if (each.undecided == 0) rounds_[problem].reset();
  }
}

std::string HostedParts::sides_to_read(std::span<const Reading* const> readings, std::vector<Round>& kept) const {
  std::vector<SidesMessage> sides;
  for (const Reading* reading : readings) {
    sides.push_back({reading->problem, reading->forgotten, sides_of(*reading, reading->rounded.has_value())});
  }
  std::string message = to_bytes(sides);
  const std::size_t parts = cuts_.size() - 1;
  for (SidesMessage& each : sides) {  // outputs forget together
    kept.push_back({std::move(each.sides), each.forgotten.front(), std::vector<ColumnSet>(parts),
                    std::vector<HeldNumbers>(parts)});
  }
  return message;
}

PackedSides HostedParts::sides_of(const Reading& reading, bool nearby) const {
  PackedSides out;
  out.plan = nearby ? reading.rounded_plan : reading.plan;
  out.count = reading.rhs->cols();
  out.of_null = null_known_ && null_[static_cast<std::size_t>(reading.problem)];
  if (out.of_null) return out;
  if (nearby && rounded_.copies()) {
    out.step = reading.rounded->step;
    out.sum = reading.rounded->sum;
    out.codes = reading.rounded->codes;
  } else {
    out.sides = NarrowMatrix(nearby ? reading.rounded->used : *reading.rhs);
  }
  return out;
}

/// Sides as they are go only to parts that those leave undecided.
void HostedParts::read(std::span<const Reading> readings) {
  if (readings.empty()) return;
  const Parts parts = calls_.all();
  const auto nothing = [](Index) { return std::string(); };
  std::vector<Index> problems;
  if (!ahead_) {
    std::vector<const Reading*> all;
    for (const Reading& reading : readings) {
      problems.push_back(reading.problem);
      all.push_back(&reading);
    }
    std::vector<Round> kept;
    std::string message = sides_to_read(all, kept);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      rounds_[static_cast<std::size_t>(problems[i])] = std::move(kept[i]);
    }
    ahead_ = take(Stage::kRead, problems, parts, calls_.ask("read", std::move(message), parts, nothing));
  }
  const std::vector<bool> undecided = *std::exchange(ahead_, std::nullopt);
  Parts again;
  for (const Index part : parts) {
    if (undecided[static_cast<std::size_t>(part)]) again.push_back(part);
  }
  if (again.empty()) return;
  std::vector<SidesMessage> sides;
  problems.clear();
  for (const Reading& reading : readings) {
    const std::vector<PartAnswer>& mine = answers_[static_cast<std::size_t>(reading.problem)];
    if (std::none_of(mine.begin(), mine.end(), [](const PartAnswer& answer) { return answer.undecided > 0; })) continue;
    problems.push_back(reading.problem);
    sides.push_back({reading.problem, reading.forgotten, sides_of(reading, false)});
  }
  take(Stage::kReadExactly, problems, again, calls_.ask("read exactly", to_bytes(sides), again, nothing));
}

RoundAnswer HostedParts::answer(Index problem) const {
  RoundAnswer out;
  for (const PartAnswer& part : answers_[static_cast<std::size_t>(problem)]) {
    assert(part.undecided == 0);
    out.add(part.found.violators);
    out.candidates.insert(out.candidates.end(), part.found.candidates.begin(), part.found.candidates.end());
  }
  return out;
}

void HostedParts::state(ArchiveWriter& archive, Index problem) {
  write(archive, problem);
}

void HostedParts::state(ArchiveReader& archive, Index problem) {
  StoredAs stored{};
  archive(stored);
  RecallRecord& record = records_[static_cast<std::size_t>(problem)];
  if (stored == StoredAs::kRecall) {
    archive(record);
  } else {
    std::vector<Index> begins;
    archive(begins);
    for (std::size_t k = 0; k + 1 < begins.size(); ++k) {
      StoredNumbers numbers;
      archive(numbers);
      record.hold_all(numbers, begins[k]);
    }
  }
  goes_on_ = true;
}

}  // namespace riata
