/**
 * Measures the product from outside, with JMH: {@code mvn -P bench verify}. Knows what tests know;
 * nothing knows it.
 */
package dev.reweave.bench;
