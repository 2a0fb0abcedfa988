package dev.reweave.bench.table;

import java.util.List;

/** Rows that are measured together. */
interface Family {
  /** What {@code --only} calls it. */
  String name();

  /** Measures them. */
  List<Row> measure(Setting setting) throws Exception;
}
