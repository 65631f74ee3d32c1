#include "path/served_fit.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/memory_archive.hpp"
#include "path/asked_grid.hpp"

namespace riata {
namespace {

template <class T>
T unpacked(std::string_view bytes) {
  T out;
  from_bytes(bytes, out);
  return out;
}

PathOptions options_of(const FitBeginning& beginning) {
  PathOptions out;
  out.fit_intercept = beginning.fit_intercept;
  out.standardize = beginning.standardize;
  out.l1_ratio = beginning.l1_ratio;
  out.penalty = beginning.penalty;
  return out;
}

Features features_of(PartFeatures told) {
  Features out;
  out.penalty_factor = std::move(told.penalty_factor);
  out.lower = std::move(told.lower);
  out.upper = std::move(told.upper);
  out.group = std::move(told.group);
  out.group_weights = std::move(told.group_weights);
  return out;
}

/// The readings of one message, and what they refer to.
struct Readings {
  explicit Readings(std::string_view common, Index rows) {
    from_bytes(common, messages);
    sides.reserve(messages.size());
    for (SidesMessage& message : messages) {
      const bool coded = !message.codes.empty();
      const Mat& used = sides.emplace_back(coded ? Mat::Zero(rows, message.count) : message.sides.unpacked());
      Reading& reading = all.emplace_back(Reading{message.problem, &used, {}, {}, {}, std::move(message.forgotten)});
      if (!message.nearby) {
        reading.plan = std::move(message.plan);
        continue;
      }
      reading.rounded =
          RoundedProducts::Sides{used, std::move(message.step), std::move(message.sum), std::move(message.codes)};
      reading.rounded_plan = std::move(message.plan);
    }
  }

  std::vector<SidesMessage> messages;
  std::vector<Mat> sides;
  std::vector<Reading> all;
};

}  // namespace

void keep_best(std::vector<Candidate>& candidates, Index most) {
  if (static_cast<Index>(candidates.size()) <= most) return;
  std::nth_element(candidates.begin(), candidates.begin() + most, candidates.end(),
                   [](const Candidate& x, const Candidate& y) {
                     return x.first != y.first ? x.first > y.first : x.second < y.second;
                   });
  candidates.resize(static_cast<std::size_t>(most));
}

ServedFit::ServedFit(const Design& X, Index first, std::string_view common, std::string_view own, int threads)
    : ServedFit(X, first, unpacked<FitBeginning>(common), unpacked<PartFeatures>(own), threads) {}

ServedFit::ServedFit(const Design& X, Index first, FitBeginning beginning, PartFeatures features, int threads)
    : options_(options_of(beginning)),
      features_(features_of(std::move(features))),
      rows_(X.rows()),
      threads_(threads),
      part_(X, RoundedProducts::of_share(X, beginning.copy_share, 0, X.cols()), first, threads) {
  if (beginning.weights.rows() != X.rows())
    throw std::invalid_argument("weights must have one value for each row of X");
  first_.means.assign(static_cast<std::size_t>(beginning.weights.cols()), Vec(X.cols()));
  first_.variances = first_.means;
  Counters counters;
  part_.first_pass(beginning.weights, beginning.null_u, first_.means, first_.variances,
                   beginning.digest ? &first_.digest : nullptr, counters);
  if (part_.rounded().copies()) first_.copy_errors = part_.rounded().errors();
  first_.streamed = counters.columns_streamed;
  pool_ = std::make_unique<SharedPool>(X, options_.fit_intercept, SharedPool::Use::kPart, first_.means.front(),
                                       first_.variances.front().cwiseMax(0.0).cwiseSqrt());
}

/// As in PathFit; but the largest norm is that of all parts.
void ServedFit::add_problem(const NewProblem& told) {
  const std::size_t f = problems_.size();
  Vec mean = std::move(first_.means[f]), scale = std::move(first_.variances[f]);
  ColumnNorms norms(options_, features_, told.largest_weight, mean, scale, first_.copy_errors);
  norms.largest_norm = told.largest_norm;
  problems_.push_back(std::make_unique<Problem>(*pool_, options_, features_, told.outputs, threads_, std::move(mean),
                                                std::move(scale)));
  again_.emplace_back();
  Problem& problem = *problems_.back();
  part_.add_problem(ColumnScreen::make(problem.penalty, problem.columns, norms, 0, part_.last(), told.outputs,
                                       told.full_working_set, threads_));
  for (const Index j : norms.unpenalised) norms.usable[static_cast<std::size_t>(j)] = false;
  problem.penalty.set_groups(norms.usable);
}

/// What has changed since the last message, before the questions of this one. Returns what follows.
std::string_view ServedFit::catch_up(std::string_view common, std::string_view own, std::vector<Question>& questions) {
  std::vector<NewProblem> fresh;
  std::vector<Move> moves;
  from_bytes(common, fresh, questions);
  MemoryReader from(own);
  from(moves);
  for (const NewProblem& problem : fresh) add_problem(problem);
  for (const Move& move : moves) part_.move(move.problem, move.into_work, move.out_of_work);
  return from.left();
}

std::string ServedFit::answer(std::string_view method, std::string_view common, std::string_view own) {
  std::vector<Question> questions;
  if (method == "bound") {
    catch_up(common, own, questions);
    return bound(std::move(questions));
  }
  if (method == "candidates") {
    catch_up(common, own, questions);
    return candidates(std::move(questions));
  }
  if (method == "read") return read(common);
  if (method == "read exactly") return read_exactly(common);
  if (method == "state") {
    catch_up(common, own, questions);
    MemoryWriter out;
    for (const Question& question : questions) part_.state(out, question.problem);
    return out.take();
  }
  if (method == "go on") {
    MemoryReader from(catch_up(common, own, questions));
    for (const Question& question : questions) part_.state(from, question.problem);
    return {};
  }
  throw std::invalid_argument("method must be one that parts of X answer, got \"" + std::string(method) + '"');
}

PartAnswer ServedFit::found(Index problem) const {
  PartAnswer out;
  part_.append_answer(problem, out.found);
  const Problem& mine = *problems_[static_cast<std::size_t>(problem)];
  keep_best(out.found.candidates, mine.most);
  if (mine.null_fit) keep_first_to_enter(mine, out.found.violators);
  return out;
}

/// Of all that the null fit leaves out, only the largest lambda is asked for at which one enters.
void ServedFit::keep_first_to_enter(const Problem& problem, Violators& violators) const {
  const Penalties net = problem.penalty.at(violators.features, 1.0);
  const Vec c = violators.values();
  const Index outputs = problem.outputs;
  Violators best;
  double largest = -1.0;
  for (Index unit = 0; unit < net.units(); ++unit) {
    const Index begin = net.begin(unit) / outputs * outputs;
    const Index end = std::max(net.begin(unit + 1), begin + outputs);
    if (net.begin(unit) != begin) continue;  // one of several coefficients of a feature
    const std::span<const Index> features =
        std::span<const Index>(violators.features)
            .subspan(static_cast<std::size_t>(begin / outputs), static_cast<std::size_t>((end - begin) / outputs));
    const Vec mine = c.segment(begin, end - begin);
    const double lambda = problem.penalty.lambda_max(features, mine, kLeastRatio);
    if (!(lambda > largest)) continue;
    largest = lambda;
    best.features.assign(features.begin(), features.end());
    best.c.assign(mine.begin(), mine.end());
  }
  best.error = violators.error;
  violators = std::move(best);
}

std::string ServedFit::bound(std::vector<Question> questions) {
  std::vector<PartAnswer> answers;
  for (const Question& question : questions) {
    Problem& problem = *problems_[static_cast<std::size_t>(question.problem)];
    problem.most = question.most;
    problem.null_fit = !(question.query.lambda < kInfinity);
    const Index undecided = part_.bound(question.problem, question.query);
    answers.push_back(undecided == 0 ? found(question.problem) : PartAnswer{undecided, {}});
  }
  return to_bytes(answers);
}

std::string ServedFit::candidates(std::vector<Question> questions) {
  std::vector<std::vector<Candidate>> answers;
  for (const Question& question : questions) {
    answers.push_back(part_.candidates(question.problem, question.query));
    keep_best(answers.back(), question.most);
  }
  return to_bytes(answers);
}

std::string ServedFit::read(std::string_view common) {
  const Readings readings(common, rows_);
  Counters counters;
  std::vector<std::vector<Index>> again = part_.read_nearby(readings.all, counters);
  std::vector<PartAnswer> answers;
  for (std::size_t k = 0; k < readings.all.size(); ++k) {
    const Index problem = readings.all[k].problem;
    answers.push_back(again[k].empty() ? found(problem) : PartAnswer{static_cast<Index>(again[k].size()), {}});
    again_[static_cast<std::size_t>(problem)] = std::move(again[k]);
  }
  ReadingCost cost{counters.columns_streamed, counters.products};
  return to_bytes(answers, cost);
}

std::string ServedFit::read_exactly(std::string_view common) {
  const Readings readings(common, rows_);
  Counters counters;
  std::vector<std::vector<Index>> columns;
  for (const Reading& reading : readings.all) {
    columns.push_back(std::exchange(again_[static_cast<std::size_t>(reading.problem)], {}));
  }
  part_.read_exactly(readings.all, std::move(columns), counters);
  std::vector<PartAnswer> answers;
  for (const Reading& reading : readings.all) answers.push_back(found(reading.problem));
  ReadingCost cost{counters.columns_streamed, counters.products};
  return to_bytes(answers, cost);
}

}  // namespace riata
