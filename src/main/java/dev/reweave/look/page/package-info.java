/**
 * The report that a person opens in a browser: one file with its data, its code and its charts in
 * it. It knows the form of the data and nothing of where it is from. Way in: {@link
 * dev.reweave.look.page.ReportPage}.
 */
package dev.reweave.look.page;
