/**
 * What all rooms need: errors with kind, place and remedy, addresses as values, texts for people,
 * and bounded reading of what is not trusted. It knows no other room. Way in: {@link
 * dev.reweave.common.ReweaveException}.
 */
package dev.reweave.common;
