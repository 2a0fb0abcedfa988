/**
 * What a defect can be found by, without addresses, names and messages. Way in: {@link
 * dev.reweave.look.bug.BugReport}.
 */
package dev.reweave.look.bug;
