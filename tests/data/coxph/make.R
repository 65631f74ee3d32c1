# Make the survival::coxph references beside this file: Rscript tests/data/coxph/make.R
#
# data.csv holds simulated follow-up with many ties, fits.csv unpenalised fits to it, one a row: which arguments
# were used, the coefficients, the log partial likelihood at zero and at the maximum, the cumulative baseline
# hazard at time 5 (linear predictor zero, first stratum) and the concordance of the linear predictor.

library(survival)
set.seed(2024)

here <- "tests/data/coxph"
n <- 60
data <- data.frame(
  x1 = round(rnorm(n), 3), x2 = round(rnorm(n) + 5, 3), x3 = rbinom(n, 1, 0.4),
  stratum = sample(c("a", "b", "c"), n, TRUE), weight = sample(c(0.5, 1, 2), n, TRUE),
  offset = round(rnorm(n, sd = 0.3), 3)
)
time <- ceiling(8 * rexp(n, exp(0.8 * data$x1 - 0.5 * (data$x2 - 5))))
end <- sample(3:15, n, TRUE)
data$stop <- pmin(time, end)
data$event <- as.integer(time <= end)
data$start <- pmax(data$stop - sample(1:8, n, TRUE), 0) - sample(c(0, 0.5), n, TRUE)
write.csv(data, file.path(here, "data.csv"), row.names = FALSE, quote = FALSE)

cases <- expand.grid(
  ties = c("breslow", "efron"), late = c(FALSE, TRUE), strata = c(FALSE, TRUE), weights = c(FALSE, TRUE),
  stringsAsFactors = FALSE
)
rows <- lapply(seq_len(nrow(cases)), function(k) {
  case <- cases[k, ]
  left <- if (case$late) "Surv(start, stop, event)" else "Surv(stop, event)"
  right <- paste("x1 + x2 + x3 + offset(offset)", if (case$strata) "+ strata(stratum)" else "")
  data$w <- if (case$weights) data$weight else 1
  fit <- coxph(as.formula(paste(left, "~", right)), data, weights = w, ties = case$ties,
    control = coxph.control(eps = 1e-14, iter.max = 100, toler.chol = 1e-15))
  rank <- concordance(
    as.formula(paste(left, "~ score", if (case$strata) "+ strata(stratum)" else "")),
    transform(data, score = fit$linear.predictors), weights = w, reverse = TRUE, timefix = FALSE)
  # coxph centres: what is said of the baseline is put back to covariates and offset of zero.
  curve <- survfit(fit, newdata = data.frame(x1 = 0, x2 = 0, x3 = 0, offset = 0, stratum = "a"), ctype =
    if (case$ties == "efron") 2 else 1)
  hazard <- summary(curve, times = 5, extend = TRUE)$cumhaz[1]
  numbers <- c(coef(fit), null = fit$loglik[1], loglik = fit$loglik[2], hazard = hazard,
    concordance = unname(rank$concordance))
  cbind(case, t(format(numbers, digits = 15, trim = TRUE)))
})
out <- do.call(rbind, rows)
out$made_by <- paste0("survival ", packageVersion("survival"), ", R ", getRversion())
write.csv(out, file.path(here, "fits.csv"), row.names = FALSE, quote = FALSE)
