use super::*;

fn read(text: &str) -> Result<Scalar<'_>, Wrong> {
    let mut pull = Pull::new(text);
    let value = pull.scalar(0)?;
    pull.end()?;
    Ok(value)
}

/// What another reader of JSON makes of the same text.
fn other(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

#[test]
fn texts_are_read_as_another_reader_reads_them() {
    for inside in [
        "",
        "a",
        "plain ascii, long enough",
        "Crème Brûlée",
        "7 bytes",
        "8 bytes!",
        "é234567é",
        "\\\"",
        "\\\\",
        "a\\/b\\b\\f\\n\\r\\t",
        "\\u00e9",
        "\\ud83c\\udf54",
        "1234567\\n",
        "12345678\\\"90",
        "\\ud800",
        "\\ud800\\u0041",
        "\\udc00",
        "\\u12",
        "\\u12g4",
        "\\x",
        "\\",
        "\u{1}",
        "1234567\u{1f}",
        "\n",
        "\u{7f}",
        "🍔🍔🍔",
        "\\u+123",
        "\\u0000",
    ] {
        let text = format!("\"{inside}\"");
        let ours = read(&text).ok();
        let theirs =
            other(&text).map(|value| Scalar::Text(value.as_str().unwrap().to_owned().into()));
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn numbers_are_whole_or_named() {
    for (text, number) in [
        ("0", 0),
        ("-0", 0),
        ("-12", -12),
        ("123456789012345678", 123_456_789_012_345_678),
        ("9223372036854775807", i64::MAX),
    ] {
        assert_eq!(read(text), Ok(Scalar::Number(number)), "{text}");
    }
    for text in ["9223372036854775808", "99999999999999999999999999", "1.0", "1e3", "1E-3", "1e400"]
    {
        assert!(matches!(read(text), Ok(Scalar::Other(_))), "{text}");
    }
    for text in ["01", "-", "+1", ".5", "1.", "1e", "1e+", "--1", "0x1", "1_0", "NaN", "Infinity"] {
        assert!(read(text).is_err(), "{text}");
        assert_eq!(other(text), None, "{text}");
    }
}

#[test]
fn what_is_skipped_is_json_all_the_same() {
    for text in [
        "{}",
        "[]",
        " { \"a\" : [ 1 , { } , null ] } ",
        "[true,false]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "{a:1}",
        "{\"a\" 1}",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "[",
        "{",
        "{\"a\"",
        "{\"a\":",
        "[}",
        "{]",
        "nul",
        "tru",
        "truth",
        "\u{feff}[]",
        "[] []",
        "",
        " ",
    ] {
        let mut pull = Pull::new(text);
        let ours = pull.skip(0).and_then(|()| pull.end());
        assert_eq!(ours.is_ok(), other(text).is_some(), "{text}");
    }
}

#[test]
fn nesting_is_refused_beyond_sixty_four() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Pull::new(&nested(64)).skip(0).is_ok());
    assert!(Pull::new(&nested(65)).skip(0).is_err());
    assert!(Pull::new(&"[".repeat(200_000)).skip(0).is_err());
}
