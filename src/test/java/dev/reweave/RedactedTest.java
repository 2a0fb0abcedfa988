package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedactedTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "s3a://AKIA:se+cret@bucket/run | s3a://***@bucket/run",
        "https://host/a/b?sig=abc%2F&se=1 is gone | https://host/a/b?*** is gone",
        "abfs://models@account.dfs.core.windows.net/run"
            + " | abfs://models@account.dfs.core.windows.net/run",
        "file:/tmp/what?.pt | file:/tmp/what?.pt",
        "hdfs://nn:8020/run; hdfs://me:pw@nn:8020/run | hdfs://nn:8020/run; hdfs://***@nn:8020/run",
      })
  void hidesPasswordsAndQueriesAndNothingElse(String text, String shown) {
    assertEquals(shown, Redacted.text(text));
  }

  @Test
  void everyMessageIsRedacted() {
    String place = "s3a://AKIAIOSFODNN7:wJalrXUtnFEMI@models/run";
    String message =
        new ReweaveException("cannot read " + place, place, "see " + place).getMessage();

    assertFalse(message.contains("wJalrXUtnFEMI"), message);
    assertFalse(message.contains("AKIAIOSFODNN7"), message);
  }
}
