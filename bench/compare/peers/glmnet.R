# Fits one path, or cross-validates it where the folder holds folds, and writes the answer beside its input:
# Rscript glmnet.R folder n p kind family thresh grouped|ungrouped
suppressMessages({
  library(Matrix)
  library(glmnet)
})
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
n <- as.integer(args[2])
p <- as.integer(args[3])

read_npy <- function(name, what, size) {
  path <- file.path(folder, paste0(name, ".npy"))
  con <- file(path, "rb")
  on.exit(close(con))
  lead <- readBin(con, "raw", 10)
  header <- as.integer(lead[9]) + 256L * as.integer(lead[10])
  readBin(con, "raw", header)
  readBin(con, what, (file.size(path) - 10 - header) / size, size = size)
}
status_mb <- function(field) {
  line <- grep(field, readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}
fit_path <- function(X, y, lambda, thresh) {
  settings <- list(
    x = X, y = y, family = args[5], lambda = lambda, standardize = FALSE, thresh = thresh, maxit = 1e9,
    standardize.response = FALSE, type.multinomial = args[7]
  )
  if (is.null(fold)) do.call(glmnet, settings) else do.call(cv.glmnet, c(settings, list(foldid = fold)))
}

y <- read_npy("y", "double", 8)
if (length(y) > n) dim(y) <- c(n, length(y) / n)
if (args[5] == "cox") colnames(y) <- c("time", "status")
lambda <- read_npy("alphas", "double", 8)
fold <- if (file.exists(file.path(folder, "folds.npy"))) read_npy("folds", "integer", 4) + 1L
if (args[4] == "sparse") {
  X <- new("dgCMatrix",
    x = read_npy("data", "double", 8), i = read_npy("indices", "integer", 4),
    p = read_npy("indptr", "integer", 4), Dim = c(n, p)
  )
} else {
  X <- read_npy("X", "double", 8)
  dim(X) <- c(n, p)
}
glmnet.control(fdev = 0, devmax = 1, mnlam = length(lambda))
invisible(fit_path(X[, 1:min(p, 50)], y, lambda[1:3], 1e-4))
invisible(gc())
try(writeLines("5", "/proc/self/clear_refs"), silent = TRUE)
before <- status_mb("VmRSS")
start <- Sys.time()
fit <- fit_path(X, y, lambda, as.numeric(args[6]))
seconds <- as.numeric(difftime(Sys.time(), start, units = "secs"))
peak <- status_mb("VmHWM") - before

write_bin <- function(name, values) writeBin(values, file.path(folder, paste0("out_", name, ".bin")))
if (is.null(fold)) {
  beta <- if (is.list(fit$beta)) do.call(rbind, fit$beta) else fit$beta
  write_bin("x", beta@x)
  write_bin("i", beta@i)
  write_bin("p", beta@p)
  write_bin("a0", if (is.null(fit$a0)) numeric(ncol(beta)) else as.numeric(fit$a0))
} else {
  write_bin("curve", fit$cvm)
  write_bin("alphas", fit$lambda)
}
write_bin("cost", c(seconds, peak))
