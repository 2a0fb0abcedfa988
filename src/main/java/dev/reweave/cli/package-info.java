/**
 * Commands and options, and what a person sees while they run. Way in: {@link
 * dev.reweave.cli.Main}.
 */
package dev.reweave.cli;
