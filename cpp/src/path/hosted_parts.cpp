#include "path/hosted_parts.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

#include "io/memory_archive.hpp"
#include "path/path_fit.hpp"

namespace riata {
namespace {

/// A number that no other fit has, in this process or another.
std::uint64_t new_fit() {
  std::random_device source;
  const std::uint64_t high = source(), low = source();
  return std::max<std::uint64_t>(high << 32 | low, 1);
}

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
      calls_(std::move(layout.host)),
      cuts_(std::move(layout.cuts)),
      options_(options),
      features_(features),
      rounded_(RoundedProducts::of_share(X, copy_share, 0, 0)),
      copy_share_(copy_share),
      counters_(counters),
      fit_(new_fit()),
      sent_(cuts_.size() - 1),
      losses_(sent_.size(), 0),
      moves_(sent_.size()) {
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

HostedParts::~HostedParts() {
  try {
    const std::vector<Index> parts = all_parts();
    const std::vector<MessageHead> heads(parts.size(), MessageHead{fit_, 0});
    calls_("end", {}, parts, heads, std::vector<std::string>(parts.size()));
  } catch (...) {  // they forget it when they end themselves
  }
}

std::vector<Index> HostedParts::all_parts() const {
  std::vector<Index> out(sent_.size());
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

std::size_t HostedParts::part_of(Index feature) const {
  const auto after = std::upper_bound(cuts_.begin(), cuts_.end(), feature);
  return static_cast<std::size_t>(after - cuts_.begin()) - 1;
}

std::vector<std::string> HostedParts::ask(std::string_view method, std::string common, std::span<const Index> parts,
                                          std::vector<std::string> own) {
  const auto shared = std::make_shared<const std::string>(std::move(common));
  std::vector<MessageHead> heads;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    std::vector<Sent>& mine = sent_[static_cast<std::size_t>(parts[k])];
    heads.push_back({fit_, mine.size()});
    mine.push_back({method, shared, own[k]});
  }
  const auto answers = calls_(method, *shared, parts, heads, own);
  std::vector<std::string> out;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    out.push_back(answers[k] ? std::move(*answers[k]) : tell_again(parts[k]));
  }
  return out;
}

/// Everything, to a part that has been opened anew; returns the answer to the last message.
std::string HostedParts::tell_again(Index part) {
  const std::vector<Sent>& mine = sent_[static_cast<std::size_t>(part)];
  for (;;) {
    if (++losses_[static_cast<std::size_t>(part)] > kMostLosses) {
      throw std::runtime_error("part " + std::to_string(part) + " of X was lost " + std::to_string(kMostLosses) +
                               " times in one fit");
    }
    std::optional<std::string> answer;
    for (std::size_t epoch = 0; epoch < mine.size(); ++epoch) {
      const MessageHead head{fit_, epoch};
      answer = std::move(
          calls_(mine[epoch].method, *mine[epoch].common, {&part, 1}, {&head, 1}, {&mine[epoch].own, 1}).front());
      if (!answer) break;
    }
    if (answer) return std::move(*answer);
  }
}

PartFeatures HostedParts::features_of(Index part) const {
  const Index first = cuts_[static_cast<std::size_t>(part)], last = cuts_[static_cast<std::size_t>(part) + 1];
  PartFeatures out;
  out.penalty_factor = some(features_.penalty_factor, first, last);
  out.lower = some(features_.lower, first, last);
  out.upper = some(features_.upper, first, last);
  if (features_.group.empty()) return out;
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
  return out;
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
  beginning.weights = weights;
  beginning.null_u = null_u;
  std::vector<std::string> own;
  const std::vector<Index> parts = all_parts();
  for (const Index part : parts) {
    PartFeatures features = features_of(part);
    own.push_back(to_bytes(features));
  }
  means.assign(static_cast<std::size_t>(weights.cols()), Vec(X_.cols()));
  variances = means;
  if (rounded_.copies()) copy_errors_.resize(X_.cols());
  const std::vector<std::string> answers = ask("begin", to_bytes(beginning), parts, std::move(own));
  for (std::size_t k = 0; k < answers.size(); ++k) {
    FirstPassAnswer answer;
    from_bytes(answers[k], answer);
    const Index first = cuts_[k], size = cuts_[k + 1] - first;
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

Index HostedParts::add_problem(const PenaltyFamily& /*penalty*/, const StandardizedColumns& /*columns*/,
                               const ColumnNorms& norms, Index outputs, bool full_working_set, int /*threads*/) {
  problems_.push_back({outputs, full_working_set, norms.largest_norm, norms.largest_weight});
  answers_.emplace_back();
  return static_cast<Index>(problems_.size()) - 1;
}

void HostedParts::move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) {
  std::vector<Move> moves(sent_.size(), Move{problem, {}, {}});
  for (const Index j : into_work) moves[part_of(j)].into_work.push_back(j - cuts_[part_of(j)]);
  for (const Index j : out_of_work) moves[part_of(j)].out_of_work.push_back(j - cuts_[part_of(j)]);
  for (std::size_t k = 0; k < moves.size(); ++k) {
    if (moves[k].into_work.empty() && moves[k].out_of_work.empty()) continue;
    moves_[k].push_back(std::move(moves[k]));
  }
}

/// What each part is to be told of moves.
std::vector<std::string> HostedParts::changes() {
  std::vector<std::string> own;
  for (std::vector<Move>& moves : moves_) {
    own.push_back(to_bytes(moves));
    moves.clear();
  }
  return own;
}

std::vector<std::string> HostedParts::ask_all(std::string_view method, std::vector<Question> questions) {
  std::vector<NewProblem> fresh(problems_.begin() + static_cast<std::ptrdiff_t>(told_), problems_.end());
  told_ = problems_.size();
  return ask(method, to_bytes(fresh, questions), all_parts(), changes());
}

/// No more candidates than a fit chooses at most (PathFit::select_candidates) are of use to it.
Question HostedParts::question(Index problem, const ScreeningQuery& query) const {
  return {problem, std::max<Index>(1000, X_.rows()), query};
}

std::vector<Candidate> HostedParts::candidates(Index problem, const ScreeningQuery& query) {
  std::vector<Candidate> out;
  const std::vector<std::string> answers = ask_all("candidates", {question(problem, query)});
  for (std::size_t k = 0; k < answers.size(); ++k) {
    std::vector<std::vector<Candidate>> found;
    from_bytes(answers[k], found);
    number_from(found.front(), cuts_[k]);
    out.insert(out.end(), found.front().begin(), found.front().end());
  }
  return out;
}

PartAnswer& HostedParts::answer_of(Index problem, Index part) {
  std::vector<PartAnswer>& mine = answers_[static_cast<std::size_t>(problem)];
  mine.resize(sent_.size());
  return mine[static_cast<std::size_t>(part)];
}

/// Returns which parts have columns that are undecided still.
std::vector<bool> HostedParts::take(std::span<const Index> problems, std::span<const Index> parts,
                                    std::vector<std::string> answers, bool costs) {
  std::vector<bool> undecided(parts.size(), false);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const Index first = cuts_[static_cast<std::size_t>(parts[k])];
    const Index cols = cuts_[static_cast<std::size_t>(parts[k]) + 1] - first;
    std::vector<PartAnswer> found;
    MemoryReader reader(answers[k]);
    reader(found);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      undecided[k] = undecided[k] || found[i].undecided > 0;
      number_from(found[i].found.candidates, first);
      number_from(found[i].found.violators.features, first);
      answer_of(problems[i], parts[k]) = std::move(found[i]);
    }
    if (!costs) continue;
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
    questions.push_back(question(each.problem, *each.query));
  }
  const std::vector<Index> parts = all_parts();
  take(problems, parts, ask_all("bound", std::move(questions)), false);
  for (Ask& each : asks) {
    for (const PartAnswer& answer : answers_[static_cast<std::size_t>(each.problem)])
      each.undecided += answer.undecided;
  }
}

SidesMessage HostedParts::sides_of(const Reading& reading, bool nearby) const {
  SidesMessage out;
  out.problem = reading.problem;
  out.nearby = nearby;
  out.plan = nearby ? reading.rounded_plan : reading.plan;
  out.forgotten = reading.forgotten;
  out.count = reading.rhs->cols();
  if (nearby && rounded_.copies()) {
    out.step = reading.rounded->step;
    out.sum = reading.rounded->sum;
    out.codes = reading.rounded->codes;
  } else {
    out.sides = NarrowMatrix(nearby ? reading.rounded->used : *reading.rhs);
  }
  return out;
}

/// First with sides that take two bytes a row; those as they are go only to parts that those leave undecided.
void HostedParts::read(std::span<const Reading> readings) {
  if (readings.empty()) return;
  std::vector<Index> parts = all_parts(), problems;
  std::vector<SidesMessage> sides;
  for (const Reading& reading : readings) {
    problems.push_back(reading.problem);
    sides.push_back(sides_of(reading, reading.rounded.has_value()));
  }
  const std::vector<bool> undecided =
      take(problems, parts, ask("read", to_bytes(sides), parts, std::vector<std::string>(parts.size())), true);
  std::vector<Index> again;
  for (const Index part : parts) {
    if (undecided[static_cast<std::size_t>(part)]) again.push_back(part);
  }
  if (again.empty()) return;
  sides.clear();
  problems.clear();
  for (const Reading& reading : readings) {
    const std::vector<PartAnswer>& mine = answers_[static_cast<std::size_t>(reading.problem)];
    if (std::none_of(mine.begin(), mine.end(), [](const PartAnswer& answer) { return answer.undecided > 0; })) continue;
    problems.push_back(reading.problem);
    sides.push_back(sides_of(reading, false));
  }
  take(problems, again, ask("read exactly", to_bytes(sides), again, std::vector<std::string>(again.size())), true);
}

RoundAnswer HostedParts::answer(Index problem) const {
  RoundAnswer out;
  for (const PartAnswer& part : answers_[static_cast<std::size_t>(problem)]) {
    assert(part.undecided == 0);
    out.violators.add(part.found.violators);
    out.candidates.insert(out.candidates.end(), part.found.candidates.begin(), part.found.candidates.end());
  }
  return out;
}

void HostedParts::state(ArchiveWriter& archive, Index problem) {
  std::vector<std::string> states = ask_all("state", {Question{problem, 0, {}}});
  archive(states);
}

void HostedParts::state(ArchiveReader& archive, Index problem) {
  std::vector<std::string> states;
  archive(states);
  std::vector<NewProblem> fresh(problems_.begin() + static_cast<std::ptrdiff_t>(told_), problems_.end());
  told_ = problems_.size();
  std::vector<Question> questions{Question{problem, 0, {}}};
  std::vector<std::string> own = changes();
  assert(states.size() == own.size());
  for (std::size_t k = 0; k < own.size(); ++k) own[k] += states[k];
  ask("go on", to_bytes(fresh, questions), all_parts(), std::move(own));
}

}  // namespace riata
