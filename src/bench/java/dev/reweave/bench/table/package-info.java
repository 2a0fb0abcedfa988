/**
 * Measures the product's performance targets and prints them as a table: {@code submit/bench}. Way
 * in: {@link dev.reweave.bench.table.Bench}.
 */
package dev.reweave.bench.table;
