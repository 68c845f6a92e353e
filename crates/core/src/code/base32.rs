//! Crockford's base 32: digits and capital letters without I, L, O and U, so that nothing has to be
//! told from something that looks like it. On reading O is 0, and I and L are 1.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a character is read as where it is taken for a digit of base 32: itself, unless it looks like
/// a figure.
#[must_use]
pub const fn folded(c: char) -> char {
    match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// The character of a number's lowest five bits.
#[must_use]
pub fn digit(value: u128) -> char {
    let index = usize::try_from(value & 31).unwrap_or_default();
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

/// What a capital letter or figure stands for; `None` when it is no digit of base 32.
#[must_use]
pub fn value(c: char) -> Option<u128> {
    let c = folded(c);
    let index = ALPHABET.iter().position(|byte| char::from(*byte) == c)?;
    u128::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_digit_and_every_digit_its_value() {
        for number in 0..32 {
            assert_eq!(value(digit(number)), Some(number));
        }
        let texts: String = (0..32).map(digit).collect();
        assert!(!texts.contains(['I', 'L', 'O', 'U']), "{texts}");
    }

    #[test]
    fn what_looks_like_a_figure_is_read_as_one() {
        assert_eq!((value('O'), value('I'), value('L')), (Some(0), Some(1), Some(1)));
        for c in ['U', 'a', '-', 'É', '٣'] {
            assert_eq!(value(c), None, "{c}");
        }
    }
}
