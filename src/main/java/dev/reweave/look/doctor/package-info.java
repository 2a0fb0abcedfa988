/**
 * Examines checkpoints and models, and tells what is wrong with them before anybody converts or
 * loads them. Way in: {@link dev.reweave.look.doctor.Doctor}.
 */
package dev.reweave.look.doctor;
