package dev.reweave.common;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** How JSON that people write is read into a tree. */
public final class StrictMapper {
  private StrictMapper() {}

  /**
   * A mapper that takes each key once and nothing behind the document.
   *
   * @param mostDepth levels of objects and lists in one another; more end in a {@link
   *     com.fasterxml.jackson.core.exc.StreamConstraintsException}
   */
  public static ObjectMapper ofDepth(int mostDepth) {
    return JsonMapper.builder(
            JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(mostDepth).build())
                .build())
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build();
  }
}
