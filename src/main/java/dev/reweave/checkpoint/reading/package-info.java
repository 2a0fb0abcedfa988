/**
 * What an address holds: all formats are asked in one order, one model is taken, and what else lies
 * there is told. It knows all formats by their interface alone. Way in: {@link
 * dev.reweave.checkpoint.reading.CheckpointReader}.
 */
package dev.reweave.checkpoint.reading;
