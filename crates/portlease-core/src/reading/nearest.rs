//! The known name that was probably meant.

use alloc::string::String;
use alloc::vec::Vec;

/// What is longer is no slip of a known name.
const LONGEST_NAME: usize = 100;

/// The known name that the given one is most likely a slip of.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = letters(name);
    let measured = |&known: &&'a str| (distance(&name, &letters(known)), known);
    let (distance, near) = known
        .iter()
        .map(measured)
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong; what differs by more is another word.
    let is_near = distance <= (near.chars().count() / 3).max(1);
    is_near.then_some(near)
}

fn letters(name: &str) -> Vec<char> {
    let lower: String = name.to_ascii_lowercase();
    lower.chars().collect()
}

/// How many letters were added, left out, mistaken or swapped with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..width).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = Vec::with_capacity(width);
        current.push(row + 1);
        for (column, against) in other.iter().enumerate() {
            let mistaken = above[column] + usize::from(letter != against);
            let mut least = mistaken.min(above[column + 1] + 1).min(current[column] + 1);
            let is_swapped =
                row > 0 && column > 0 && (*letter, one[row - 1]) == (other[column - 1], *against);
            if is_swapped {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = core::mem::replace(&mut above, current);
    }
    above[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: usize) {
        assert_eq!(distance(&letters(one), &letters(other)), expected);
        assert_eq!(distance(&letters(other), &letters(one)), expected);
    }

    #[test]
    fn letters_that_differ() {
        check("", "", 0);
        check("", "port", 4);
        check("port", "port", 0);
        check("prot", "port", 1);
        check("pot", "port", 1);
        check("pork", "port", 1);
        check("größe", "grosse", 3);
        check("prefered", "preferred", 1);
        check("emit", "time", 3);
        check("sitting", "kitten", 3);
    }

    #[test]
    fn the_nearest_name_when_one_is_near() {
        let known = ["preferred", "port", "pool"];
        assert_eq!(nearest("PREFERED", &known), Some("preferred"));
        assert_eq!(nearest("prot", &known), Some("port"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("port", &[]), None);
        assert_eq!(nearest(&"p".repeat(101), &known), None);
    }
}
