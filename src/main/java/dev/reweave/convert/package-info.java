/**
 * One conversion, or a series of them: makes ready, runs, makes visible, goes on after a kill. Way
 * in: {@link dev.reweave.convert.Conversion}.
 */
package dev.reweave.convert;
