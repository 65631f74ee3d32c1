#include "path/served_fit.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/memory_archive.hpp"
#include "path/asked_grid.hpp"
#include "path/message_checks.hpp"

namespace riata {
namespace {

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
  Readings(std::vector<SidesMessage> told, Index rows) : messages(std::move(told)) {
    sides.reserve(messages.size());
    for (SidesMessage& message : messages) {
      PackedSides& packed = message.sides;
      const bool absent = packed.coded() || packed.of_null;
      const Mat& used = sides.emplace_back(absent ? Mat::Zero(rows, packed.count) : packed.sides.unpacked());
      Reading& reading = all.emplace_back(Reading{message.problem, &used, {}, {}, {}, std::move(message.forgotten)});
      if (!packed.plan.rounded) {
        reading.plan = std::move(packed.plan);
        continue;
      }
      reading.rounded =
          RoundedProducts::Sides{used, std::move(packed.step), std::move(packed.sum), std::move(packed.codes)};
      reading.rounded_plan = std::move(packed.plan);
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
    : ServedFit(X, first, told(X, common, own), threads) {}

ServedFit::Told ServedFit::told(const Design& X, std::string_view common, std::string_view own) {
  Told out;
  from_bytes(common, out.beginning);
  from_bytes(own, out.features);
  check_beginning(out.beginning, out.features, X.rows(), X.cols());
  return out;
}

ServedFit::ServedFit(const Design& X, Index first, Told told, int threads)
    : problem_count_(told.beginning.weights.cols()),
      null_count_(told.beginning.null_u.cols()),
      options_(options_of(told.beginning)),
      features_(features_of(std::move(told.features))),
      rows_(X.rows()),
      threads_(threads),
      part_(X, RoundedProducts::of_share(X, told.beginning.copy_share, 0, X.cols()), first, threads) {
  first_.means.assign(static_cast<std::size_t>(problem_count_), Vec(X.cols()));
  first_.variances = first_.means;
  Counters counters;
  part_.first_pass(told.beginning.weights.unpacked(), told.beginning.null_u, first_.means, first_.variances,
                   told.beginning.digest ? &first_.digest : nullptr, counters);
  if (part_.rounded().copies()) first_.copy_errors = part_.rounded().errors();
  first_.streamed = counters.columns_streamed;
  pool_ = std::make_unique<SharedPool>(X, options_.fit_intercept, SharedPool::Use::kPart, first_.means.front(),
                                       first_.variances.front().cwiseMax(0.0).cwiseSqrt());
}

/// As in PathFit; but the largest norm is that of all parts.
void ServedFit::add_problem(const NewProblem& told) {
  const std::size_t f = problems_.size();
  check_problem(told, problem_count_, null_count_, static_cast<Index>(f));
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

/// What has changed since the last message, before the questions of this one.
void ServedFit::catch_up(MemoryReader& common, std::string_view own, std::vector<Question>& questions) {
  std::vector<NewProblem> fresh;
  std::vector<Move> moves;
  common(fresh, questions);
  from_bytes(own, moves);
  for (const NewProblem& problem : fresh) add_problem(problem);
  for (const Move& move : moves) {
    problem_of(move.problem);
    part_.move(move.problem, move.into_work, move.out_of_work);
  }
  for (const Question& question : questions) {
    const Index outputs = problem_of(question.problem).outputs;
    require_message(!question.round.empty() && question.most >= 0, "a lambda that it asks for");
    for (const ScreeningQuery& query : question.round) {
      require_message(static_cast<Index>(query.residual.size()) == outputs, "a residual of each output");
    }
  }
}

ServedFit::Problem& ServedFit::problem_of(Index number) const {
  require_message(number >= 0 && number < static_cast<Index>(problems_.size()), "problems that it has told of");
  return *problems_[static_cast<std::size_t>(number)];
}

/// The right-hand sides of a message: each problem's at most once.
void ServedFit::check(const std::vector<SidesMessage>& sides, bool exactly) const {
  require_message(recalls_.empty(), "recalled what it told of before it reads");
  std::vector<bool> seen(problems_.size(), false);
  for (const SidesMessage& each : sides) {
    const Problem& problem = problem_of(each.problem);
    const Index outputs = problem.outputs;
    require_message(!seen[static_cast<std::size_t>(each.problem)], "one set of right-hand sides for each problem");
    seen[static_cast<std::size_t>(each.problem)] = true;
    require_message(static_cast<Index>(each.forgotten.size()) == outputs && !(exactly && each.sides.plan.rounded),
                    "exact right-hand sides where it says so");
    for (const Index blocks : each.forgotten) require_message(blocks >= 0 && blocks < kMaxBlocks, "blocks to forget");
    check_sides(each.sides, outputs, rows_, part_.rounded(), part_.knows_null());
    require_message(each.sides.plan.coordinates.cols() == problem.lambdas,
                    "right-hand sides for the lambdas that it has asked for");
    require_message(each.sides.of_null == (problem.null_fit && part_.knows_null()),
                    "null residuals for a null fit alone");
  }
}

/// Another problem of a fit that had come further, of which this part knows nothing yet.
void ServedFit::remember(std::string_view common, std::string_view own) {
  NewProblem problem;
  Recall& recall = recalls_.emplace_back();
  from_bytes(common, problem, recall.blocks);
  from_bytes(own, recall.marks, recall.held);
  require_message(recalls_.size() == problems_.size() + 1, "problems in order");
  check_recall(recall, problem.outputs, rows_, part_.last(), part_.rounded(), part_.knows_null());
  add_problem(problem);
}

void ServedFit::recall() {
  std::vector<Index> problems;
  for (const Recall& each : recalls_) {
    std::vector<Index> inside;
    for (std::size_t j = 0; j < each.marks.size(); ++j) {
      if ((each.marks[j] & mark::kInside) != 0) inside.push_back(static_cast<Index>(j));
    }
    problems.push_back(static_cast<Index>(problems.size()));
    part_.move(problems.back(), inside, {});
  }
  part_.recall(recalls_, problems);
  recalls_.clear();
}

std::string ServedFit::answer(std::string_view method, std::string_view common, std::string_view own) {
  std::vector<Question> questions;
  std::vector<SidesMessage> sides;
  MemoryReader reader(common);
  if (method == "bound") {
    catch_up(reader, own, questions);
    std::vector<PartAnswer> answers = bound(questions);
    return to_bytes(answers);
  }
  if (method == "bound and read") {
    catch_up(reader, own, questions);
    reader(sides);
    return bound_and_read(questions, std::move(sides));
  }
  if (method == "candidates") {
    catch_up(reader, own, questions);
    return candidates(std::move(questions));
  }
  if (method == "read") {
    reader(sides);
    return read(std::move(sides));
  }
  if (method == "read exactly") {
    reader(sides);
    return read_exactly(std::move(sides));
  }
  if (method == "remember") {
    remember(common, own);
    return {};
  }
  if (method == "recall") {
    recall();
    return {};
  }
  throw std::invalid_argument("method must be one that parts of X answer, got \"" + std::string(method) + '"');
}

PartAnswer ServedFit::found(Index problem) const {
  PartAnswer out;
  part_.append_answer(problem, out.found);
  const Problem& mine = *problems_[static_cast<std::size_t>(problem)];
  keep_best(out.found.candidates, mine.most);
  if (mine.null_fit) keep_first_to_enter(mine, out.found.violators.front());
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

std::vector<PartAnswer> ServedFit::bound(const std::vector<Question>& questions) {
  std::vector<PartAnswer> answers;
  for (const Question& question : questions) {
    Problem& problem = *problems_[static_cast<std::size_t>(question.problem)];
    problem.most = question.most;
    problem.lambdas = static_cast<Index>(question.round.size());
    problem.null_fit = !(question.round.front().lambda < kInfinity);
    const Index undecided = part_.bound(question.problem, question.round);
    answers.push_back(undecided == 0 ? found(question.problem) : PartAnswer{undecided, undecided, {}, {}, {}});
  }
  return answers;
}

/// Reads for the problems that have undecided columns here. Nothing else changes by reading where no block is
/// forgotten: other parts may read, or none.
std::string ServedFit::bound_and_read(const std::vector<Question>& questions, std::vector<SidesMessage> sides) {
  std::vector<PartAnswer> answers = bound(questions);
  require_message(sides.size() == questions.size(), "right-hand sides for each question");
  check(sides, false);
  std::vector<std::size_t> of;  // the questions that those left belong to
  for (std::size_t k = 0; k < sides.size(); ++k) {
    require_message(sides[k].problem == questions[k].problem && !sides[k].sides.of_null, "right-hand sides as asked");
    for (const Index blocks : sides[k].forgotten) require_message(blocks == 0, "no blocks to forget before it bounds");
    if (answers[k].undecided == 0) continue;
    if (of.size() < k) sides[of.size()] = std::move(sides[k]);
    of.push_back(k);
  }
  sides.resize(of.size());
  ReadingCost cost;
  std::vector<PartAnswer> read_now = read(std::move(sides), cost);
  for (std::size_t i = 0; i < of.size(); ++i) {
    read_now[i].unbounded = answers[of[i]].unbounded;
    answers[of[i]] = std::move(read_now[i]);
  }
  return to_bytes(answers, cost);
}

std::string ServedFit::candidates(std::vector<Question> questions) {
  std::vector<std::vector<Candidate>> answers;
  for (const Question& question : questions) {
    answers.push_back(part_.candidates(question.problem, question.round.front()));
    keep_best(answers.back(), question.most);
  }
  return to_bytes(answers);
}

std::string ServedFit::read(std::vector<SidesMessage> sides) {
  check(sides, false);
  ReadingCost cost;
  std::vector<PartAnswer> answers = read(std::move(sides), cost);
  return to_bytes(answers, cost);
}

std::vector<PartAnswer> ServedFit::read(std::vector<SidesMessage> sides, ReadingCost& cost) {
  const Readings readings(std::move(sides), rows_);
  Counters counters;
  std::vector<std::vector<Index>> again = part_.read_nearby(readings.all, counters);
  std::vector<PartAnswer> answers;
  for (std::size_t k = 0; k < readings.all.size(); ++k) {
    const Index problem = readings.all[k].problem;
    answers.push_back(again[k].empty() ? found(problem)
                                       : PartAnswer{static_cast<Index>(again[k].size()), 0, {}, {}, {}});
    answers.back().read = ColumnSet(part_.columns_read(problem), part_.last());
    again_[static_cast<std::size_t>(problem)] = std::move(again[k]);
  }
  cost = {counters.columns_streamed, counters.products};
  return answers;
}

std::string ServedFit::read_exactly(std::vector<SidesMessage> sides) {
  check(sides, true);
  const Readings readings(std::move(sides), rows_);
  Counters counters;
  std::vector<std::vector<Index>> columns;
  for (const Reading& reading : readings.all) {
    columns.push_back(std::exchange(again_[static_cast<std::size_t>(reading.problem)], {}));
  }
  part_.read_exactly(readings.all, columns, counters);
  std::vector<PartAnswer> answers;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const Index problem = readings.all[k].problem;
    answers.push_back(found(problem));
    answers.back().held = part_.numbers(problem, std::move(columns[k]));
  }
  ReadingCost cost{counters.columns_streamed, counters.products};
  return to_bytes(answers, cost);
}

}  // namespace riata
