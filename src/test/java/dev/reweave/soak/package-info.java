/**
 * Kills conversions at random moments and looks at what they leave: {@code submit/soak}. Knows the
 * product from outside, as a process, and what tests know; nothing knows it.
 */
package dev.reweave.soak;
