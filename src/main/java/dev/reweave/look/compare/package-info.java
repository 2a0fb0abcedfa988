/**
 * Compares what was written with what the manifest, the checkpoint or another model says. Way in:
 * {@link dev.reweave.look.compare.Verification}, {@link dev.reweave.look.compare.Diff}.
 */
package dev.reweave.look.compare;
