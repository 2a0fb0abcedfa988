/**
 * Weights that other frameworks wrote, which are not read and yet told. Way in: {@link
 * dev.reweave.checkpoint.foreign.ForeignFormat}.
 */
package dev.reweave.checkpoint.foreign;
