package dev.reweave.sql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of tables. */
class TableNameTest {
  @Test
  void partsAreQuotedWhereSqlWantsIt() {
    TableName plain = TableName.of("lake.models.tensors");
    assertEquals(List.of("lake", "models", "tensors"), plain.parts());
    assertEquals("lake.models.tensors", plain.toString());
    assertEquals("`lake`.`models`.`tensors`", plain.quoted());
    assertEquals("lake.models", plain.namespace());

    TableName quoted = TableName.of("spark_catalog.delta.`s3a://b/a ``x``.y`");
    assertEquals(List.of("spark_catalog", "delta", "s3a://b/a `x`.y"), quoted.parts());
    assertEquals("spark_catalog.delta.`s3a://b/a ``x``.y`", quoted.toString());
    assertEquals(quoted, TableName.of(quoted.toString()));

    assertEquals("lake.`my-models`.t", TableName.of("lake.my-models.t").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tensors",
        "lake.",
        ".t",
        "lake..t",
        "lake.t.",
        "lake.t; DROP TABLE x",
        "lake.`t",
        "lake.t`",
        "lake.``",
        "lake.t -- x",
        "lake t"
      })
  void whatIsNone(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> TableName.of(text)).getMessage();

    assertTrue(message.startsWith("'" + text + "' is not the name of a table"), message);
  }
}
