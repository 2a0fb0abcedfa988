package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactedTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "s3a://AKIA:se+cret@bucket/run | s3a://***@bucket/run",
        "https://host/a/b?sig=abc%2F&se=1 is gone | https://host/a/b?*** is gone",
        "s3a://b/k?X-Amz-Date=1&X-Amz-Signature=0a is gone | s3a://b/k?*** is gone",
        "abfs://a/b?sv=2&sig=abc%2F&se=1, c | abfs://a/b?***, c",
        "s3a://b/what?.pt is gone | s3a://b/what?.pt is gone",
        "s3a://b/a?b=1/c?d and HTTPS://h/a?b=1 | s3a://b/a?b=1/c?d and HTTPS://h/a?***",
        "abfs://models@account.dfs.core.windows.net/run"
            + " | abfs://models@account.dfs.core.windows.net/run",
        "file:/tmp/what?.pt | file:/tmp/what?.pt",
        "hdfs://nn:8020/run; hdfs://me:pw@nn:8020/run | hdfs://nn:8020/run; hdfs://***@nn:8020/run",
        "s3a://AKIA:wJal/rXU/tnFE@bucket/run is gone | s3a://***@bucket/run is gone",
        "S3A://AKIA:7/2@bucket and s3a://b/c:d@e | S3A://***@bucket and s3a://b/c:d@e",
        "s3a:/AKIA:wJal/r@bucket/run | s3a:/***@bucket/run",
        "gs://AKIA@bucket/run | gs://***@bucket/run",
        "hdfs://me:p/w@nn:8020/run | hdfs://***@nn:8020/run",
        "hdfs://me:p@w@nn:8020/run | hdfs://***@nn:8020/run",
        "hdfs://nn:8020/a@b and hdfs://[::1]:8020/a@b | hdfs://nn:8020/a@b and hdfs://[::1]:8020/a@b",
        "'s3a://AKIA:x/y@b/1', file:/tmp/a:b@c | 's3a://***@b/1', file:/tmp/a:b@c",
      })
  void hidesPasswordsAndQueriesAndNothingElse(String text, String shown) {
    assertEquals(shown, Redacted.text(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3a://AKIA:secret@bucket/run",
        "s3a://AKIA:sec/ret@bucket/run",
        "s3a://AKIA:1234/ret@bucket/run",
        "S3A://AKIA@bucket/run",
        "s3a:AKIA:sec/ret@bucket/run",
        "hdfs://me@nn:8020/run",
        "hdfs://me:p/w@nn/run",
        "ftp://me:pw@host/run",
        "abfss://box:key@account.dfs.core.windows.net/run",
      })
  void knowsAddressesThatHoldALogin(String address) {
    assertTrue(Redacted.hasLogin(address));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "abfss://box@account.dfs.core.windows.net/run",
        "wasb://box@account.blob.core.windows.net/run",
        "s3a://bucket/a:b@c",
        "s3a://bucket/me@acme.org",
        "hdfs://nn:8020/me@acme.org",
        "hdfs://[::1]:8020/me@acme.org",
        "file:///tmp/a:b@c",
        "file:/tmp/a:b@c",
        "/tmp/a:b@c",
        "a@b",
        "a:b@c",
        "",
      })
  void knowsAddressesThatHoldNone(String address) {
    assertFalse(Redacted.hasLogin(address));
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
