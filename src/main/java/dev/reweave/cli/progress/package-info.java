/**
 * What a person sees of the work while it lasts, on a terminal or in a log. It knows how far the
 * work has come, and nothing of what it is. Way in: {@link dev.reweave.cli.progress.ProgressView}.
 */
package dev.reweave.cli.progress;
