/**
 * Types, shapes, layouts and casts: where the elements of a tensor lie, and what numbers they are.
 * It knows no files. Way in: {@link dev.reweave.tensor.Layout}.
 */
package dev.reweave.tensor;
