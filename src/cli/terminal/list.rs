//! A list from which a person picks.

use super::key::Key;
use super::line::Line;

/// What is in the list, what of it is shown and where the person is in it.
pub(super) struct List<'l> {
    answers: &'l [String],
    filter: Line,
    /// The numbers of those that hold what was typed.
    fitting: Vec<usize>,
    /// A place in `fitting`.
    at: usize,
    marked: Vec<bool>,
}

impl<'l> List<'l> {
    pub fn new(answers: &'l [String]) -> Self {
        let (fitting, marked) = ((0..answers.len()).collect(), vec![false; answers.len()]);
        Self { answers, filter: Line::default(), fitting, at: 0, marked }
    }

    /// What was typed to see fewer.
    pub fn filter(&self) -> &Line {
        &self.filter
    }

    /// The numbers of the answers that are marked, or of the one under the cursor.
    pub fn picked(&self) -> Vec<usize> {
        let marked: Vec<_> =
            (0..self.answers.len()).filter(|&number| self.marked[number]).collect();
        if marked.is_empty() {
            self.fitting.get(self.at).copied().into_iter().collect()
        } else {
            marked
        }
    }

    /// How many there are, where a person can't see it at once.
    pub fn counts(&self) -> String {
        let all = self.answers.len();
        let marked = self.marked.iter().filter(|marked| **marked).count();
        match (self.fitting.len(), marked) {
            (fitting, 0) if fitting == all => format!("{all}"),
            (fitting, 0) => format!("{fitting} of {all}"),
            (fitting, marked) if fitting == all => format!("{marked} of {all} marked"),
            (fitting, marked) => format!("{fitting} of {all}, {marked} marked"),
        }
    }

    /// The answers that fit into so many rows, with the one under the cursor.
    pub fn window(&self, rows: usize) -> impl Iterator<Item = Row<'l>> + '_ {
        let rows = rows.max(1);
        // The one under the cursor stays in the middle, but at the ends.
        let last = self.fitting.len().saturating_sub(rows);
        let start = self.at.saturating_sub(rows / 2).min(last);
        let shown = self.fitting.iter().enumerate().skip(start).take(rows);
        shown.map(|(place, &number)| Row {
            text: &self.answers[number],
            here: place == self.at,
            marked: self.marked[number],
        })
    }

    /// Does what a key does in a list; `rows` are on the screen.
    pub fn edit(&mut self, key: &Key, rows: usize) {
        let last = self.fitting.len().saturating_sub(1);
        match key {
            Key::Up => self.at = if self.at == 0 { last } else { self.at - 1 },
            Key::Down => self.at = if self.at >= last { 0 } else { self.at + 1 },
            Key::PageUp => self.at = self.at.saturating_sub(rows),
            Key::PageDown => self.at = (self.at + rows).min(last),
            Key::Home => self.at = 0,
            Key::End => self.at = last,
            Key::Letter(' ') | Key::Tab => {
                if let Some(&number) = self.fitting.get(self.at) {
                    self.marked[number] = !self.marked[number];
                }
            }
            Key::Right => self.mark(true),
            Key::Left => self.mark(false),
            key => {
                let before = self.filter.text().to_lowercase();
                self.filter.edit(key);
                let typed = self.filter.text().to_lowercase();
                if before != typed {
                    let fits =
                        |&number: &usize| self.answers[number].to_lowercase().contains(&typed);
                    self.fitting = (0..self.answers.len()).filter(fits).collect();
                    self.at = 0;
                }
            }
        }
    }

    fn mark(&mut self, marked: bool) {
        for &number in &self.fitting {
            self.marked[number] = marked;
        }
    }
}

/// An answer as it is shown.
pub(super) struct Row<'l> {
    pub text: &'l str,
    /// Whether the cursor is on it.
    pub here: bool,
    pub marked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("Runner-{number}")).collect()
    }

    fn picked(count: usize, keys: &[Key]) -> Vec<usize> {
        let answers = answers(count);
        let mut list = List::new(&answers);
        for key in keys {
            list.edit(key, 5);
        }
        list.picked()
    }

    #[test]
    fn what_is_marked_is_picked_or_else_what_is_under_the_cursor() {
        use Key::*;
        let space = Letter(' ');
        assert_eq!(picked(3, &[]), [0]);
        assert_eq!(picked(3, &[Down]), [1]);
        assert_eq!(picked(3, &[Up]), [2]);
        assert_eq!(picked(3, &[Down, Down, Down]), [0]);
        assert_eq!(picked(3, &[Down, space.clone(), Down]), [1]);
        assert_eq!(picked(3, &[space.clone(), space.clone(), Down]), [1]);
        assert_eq!(picked(3, &[Right]), [0, 1, 2]);
        assert_eq!(picked(3, &[Right, Left, End]), [2]);
        assert_eq!(picked(30, &[PageDown, PageDown, PageUp, Down]), [6]);
    }

    #[test]
    fn typing_shows_fewer_and_forgets_no_mark() {
        use Key::*;
        let (one, nothing) = ([Letter('-'), Letter('1')], [Letter('x')]);
        assert_eq!(picked(3, &[&[Letter(' ')], &one[..], &[Tab]].concat()), [0, 1]);
        assert_eq!(picked(30, &[&one[..], &[Right]].concat()).len(), 11);
        assert_eq!(picked(3, &nothing), [] as [usize; 0]);
        let back = [Tab, Right, Up, Down, CutToStart];
        assert_eq!(picked(3, &[&nothing[..], &back].concat()), [0]);
    }

    #[test]
    fn the_window_holds_the_cursor_and_no_more_rows_than_there_are() {
        let answers = answers(200);
        let mut list = List::new(&answers);
        for key in [Key::Home, Key::PageDown, Key::End, Key::Up, Key::PageUp, Key::Down] {
            list.edit(&key, 3);
            for rows in [1, 3, 16, 300] {
                let shown: Vec<_> = list.window(rows).collect();
                assert_eq!(shown.len(), rows.min(200));
                assert_eq!(shown.iter().filter(|row| row.here).count(), 1);
            }
        }
        assert_eq!(list.counts(), "200");
        list.edit(&Key::Tab, 3);
        assert_eq!(list.counts(), "1 of 200 marked");
        list.edit(&Key::Letter('7'), 3);
        assert_eq!(list.counts(), "38 of 200, 1 marked");
    }
}
