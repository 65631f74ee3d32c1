# Fits one glmnet path for make.py:
# Rscript fit.R folder n p family alpha intercept standardize sparse grouped
suppressMessages({
  library(Matrix)
  library(glmnet)
})
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
n <- as.integer(args[2])
p <- as.integer(args[3])
get <- function(name) {
  path <- file.path(folder, paste0(name, ".bin"))
  if (!file.exists(path)) return(NULL)
  readBin(path, "double", file.size(path) / 8)
}
or <- function(value, default) if (is.null(value)) default else value
put <- function(name, values) writeBin(as.numeric(values), file.path(folder, paste0(name, ".bin")))

X <- matrix(get("X"), n, p)
if (args[8] == "sparse") X <- Matrix(X, sparse = TRUE)
glmnet.control(fdev = 0, devmax = 1, mnlam = 1, epsnr = 1e-14, mxitnr = 1000)
several <- args[4] %in% c("multinomial", "mgaussian")
table <- function(values) if (several && !is.null(values)) matrix(values, n) else values
fit <- glmnet(X, table(get("y")),
  family = args[4], alpha = as.numeric(args[5]), lambda = get("lambda"),
  weights = get("weights"), offset = table(get("offset")),
  penalty.factor = or(get("penalty_factor"), rep(1, p)),
  lower.limits = or(get("lower"), -Inf), upper.limits = or(get("upper"), Inf),
  intercept = args[6] == "yes", standardize = args[7] == "yes",
  thresh = 1e-14, maxit = 1e8, type.multinomial = args[9]
)
put("coefs", if (several) sapply(fit$beta, as.matrix) else as.matrix(fit$beta))
put("intercepts", fit$a0)
cat(paste0("glmnet ", packageVersion("glmnet"), ", ", R.version.string))
