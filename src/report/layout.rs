//! Where the projects of a graph are drawn: in columns, who needs something to the left of it.
//!
//! The layered method (Sugiyama, Tagawa, Toda 1981): cycles are opened, every project goes to the
//! column after the last that needs it, long lines get a place in every column they cross, the
//! order within columns is improved by barycentres as long as lines cross less, and heights are the
//! least squares that keep the order (pool adjacent violators). Lines that other lines imply are
//! marked: without them a graph of hundreds of projects can be read. Everything is deterministic.

use std::collections::BTreeSet;

/// The height of a project's box.
pub const HEIGHT: i32 = 26;
/// From one box to the next one below.
const STEP: f64 = 32.0;
/// From a line that passes by to its neighbours.
const THIN: f64 = 7.0;
/// Around everything.
const MARGIN: f64 = 16.0;
/// Between two columns, for lines to bend.
const GAP: f64 = 64.0;
/// More makes no picture better.
const SWEEPS: usize = 24;
/// Boxes without lines stand in rows as wide as this.
const ROW: f64 = 1100.0;

/// Where everything is.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// The width of the whole.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// Each box, in the order they were given.
    pub places: Vec<Place>,
    /// Each line, in the order of its ends.
    pub lines: Vec<Line>,
}

/// Where a box is: its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// The column, counted from the left; none for boxes without lines.
    pub column: Option<usize>,
}

/// A line from who needs something to what is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Who needs.
    pub from: usize,
    /// What is needed.
    pub to: usize,
    /// Whether other lines lead there as well.
    pub implied: bool,
    /// Horizontal stretches `(x, x, y)` that the line passes, its ends among them.
    pub points: Vec<(i32, i32, i32)>,
}

/// Draws a graph: boxes of these widths, and who needs whom.
pub fn layout(widths: &[i32], edges: &[(usize, usize)]) -> Drawing {
    let count = widths.len();
    let wanted: BTreeSet<(usize, usize)> = edges
        .iter()
        .copied()
        .filter(|(from, to)| from != to && *from < count && *to < count)
        .collect();
    let edges: Vec<(usize, usize)> = wanted.into_iter().collect();
    let graph = Acyclic::new(count, &edges);
    let columns = graph.columns();
    let implied = graph.implied();
    let mut board = Board::new(count, &columns, &graph.alone());
    let chains: Vec<Option<Vec<usize>>> = edges
        .iter()
        .zip(&implied)
        .map(|(edge, implied)| (!implied).then(|| board.chain(*edge, &columns)))
        .collect();
    board.order();
    let heights = board.heights();
    board.drawing(widths, &edges, &chains, &heights)
}

/// The graph with its cycles opened.
struct Acyclic {
    /// What each needs.
    needs: Vec<Vec<usize>>,
    /// The edges, some turned round.
    edges: Vec<(usize, usize)>,
    /// Those who need before what they need.
    order: Vec<usize>,
}

impl Acyclic {
    /// Edges that close a cycle, as a walk in depth meets them, are turned round.
    fn new(count: usize, edges: &[(usize, usize)]) -> Self {
        let mut all: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut needed = vec![false; count];
        for (from, to) in edges {
            all[*from].push(*to);
            needed[*to] = true;
        }
        let mut state = vec![State::New; count];
        let mut back = BTreeSet::new();
        let mut order = Vec::with_capacity(count);
        let starts = (0..count).filter(|n| !needed[*n]).chain(0..count);
        for start in starts {
            if state[start] != State::New {
                continue;
            }
            state[start] = State::Open;
            let mut stack = vec![(start, 0)];
            while let Some((node, next)) = stack.pop() {
                let Some(to) = all[node].get(next).copied() else {
                    state[node] = State::Done;
                    order.push(node);
                    continue;
                };
                stack.push((node, next + 1));
                match state[to] {
                    State::New => {
                        state[to] = State::Open;
                        stack.push((to, 0));
                    }
                    State::Open => {
                        back.insert((node, to));
                    }
                    State::Done => {}
                }
            }
        }
        order.reverse();
        let turned = |edge: &(usize, usize)| {
            if back.contains(edge) {
                (edge.1, edge.0)
            } else {
                *edge
            }
        };
        let edges: Vec<(usize, usize)> = edges.iter().map(turned).collect();
        let mut needs = vec![Vec::new(); count];
        for (from, to) in edges.iter().collect::<BTreeSet<_>>() {
            needs[*from].push(*to);
        }
        Self {
            needs,
            edges,
            order,
        }
    }

    /// The column of each: one after the last that needs it.
    fn columns(&self) -> Vec<usize> {
        let mut columns = vec![0; self.needs.len()];
        for node in &self.order {
            for to in &self.needs[*node] {
                columns[*to] = columns[*to].max(columns[*node] + 1);
            }
        }
        columns
    }

    /// Which edges other edges imply.
    fn implied(&self) -> Vec<bool> {
        let words = self.needs.len().div_ceil(64);
        let mut below = vec![vec![0_u64; words]; self.needs.len()];
        for node in self.order.iter().rev() {
            let mut own = vec![0_u64; words];
            for to in &self.needs[*node] {
                own[to / 64] |= 1 << (to % 64);
                own.iter_mut().zip(&below[*to]).for_each(|(a, b)| *a |= b);
            }
            below[*node] = own;
        }
        self.edges
            .iter()
            .map(|(from, to)| {
                let others = self.needs[*from].iter().filter(|other| *other != to);
                others
                    .into_iter()
                    .any(|other| below[*other][to / 64] & (1 << (to % 64)) != 0)
            })
            .collect()
    }

    /// Which have no line at all.
    fn alone(&self) -> Vec<bool> {
        let mut alone = vec![true; self.needs.len()];
        for (from, to) in &self.edges {
            alone[*from] = false;
            alone[*to] = false;
        }
        alone
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// The columns with what is in them: boxes, and places where lines pass. The first items are the
/// boxes, in their order.
struct Board {
    columns: Vec<Vec<usize>>,
    /// What each item is connected with, one column to the left.
    left: Vec<Vec<usize>>,
    /// One column to the right.
    right: Vec<Vec<usize>>,
    boxes: usize,
}

impl Board {
    fn new(boxes: usize, columns: &[usize], alone: &[bool]) -> Self {
        let mut board = Self {
            columns: Vec::new(),
            left: vec![Vec::new(); boxes],
            right: vec![Vec::new(); boxes],
            boxes,
        };
        for (node, column) in columns.iter().enumerate() {
            if !alone[node] {
                board.column(*column).push(node);
            }
        }
        board
    }

    fn column(&mut self, column: usize) -> &mut Vec<usize> {
        while self.columns.len() <= column {
            self.columns.push(Vec::new());
        }
        &mut self.columns[column]
    }

    /// Makes places for a line in the columns that it passes; all its items from left to right.
    fn chain(&mut self, edge: (usize, usize), columns: &[usize]) -> Vec<usize> {
        let (mut from, mut to) = edge;
        if columns[from] > columns[to] {
            (from, to) = (to, from);
        }
        let mut chain = vec![from];
        for column in columns[from] + 1..columns[to] {
            let item = self.left.len();
            self.left.push(Vec::new());
            self.right.push(Vec::new());
            self.column(column).push(item);
            chain.push(item);
        }
        chain.push(to);
        for pair in chain.windows(2) {
            self.right[pair[0]].push(pair[1]);
            self.left[pair[1]].push(pair[0]);
        }
        chain
    }

    /// Puts the items of every column into the order with the fewest crossings that is found.
    fn order(&mut self) {
        let mut best = self.columns.clone();
        let mut fewest = self.crossings();
        let mut since = 0;
        for sweep in 0..SWEEPS {
            let rightwards = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                let column = if rightwards { step } else { count - 1 - step };
                self.sort(column, rightwards);
            }
            let crossings = self.crossings();
            since += 1;
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.columns);
                since = 0;
            }
            if fewest == 0 || since > 5 {
                break;
            }
        }
        self.columns = best;
    }

    /// Sorts a column by the mean place of what its items are connected with on one side.
    fn sort(&mut self, column: usize, rightwards: bool) {
        let towards = if rightwards { column - 1 } else { column + 1 };
        let places = self.places(towards);
        let sides = if rightwards { &self.left } else { &self.right };
        let items = std::mem::take(&mut self.columns[column]);
        let mut keyed: Vec<(f64, usize)> = items
            .iter()
            .enumerate()
            .map(|(own, item)| {
                let sum: usize = sides[*item].iter().map(|other| places[*other]).sum();
                let key = match sides[*item].len() {
                    0 => own as f64,
                    count => sum as f64 / count as f64,
                };
                (key, *item)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.columns[column] = keyed.into_iter().map(|(_, item)| item).collect();
    }

    fn places(&self, column: usize) -> Vec<usize> {
        let mut places = vec![0; self.left.len()];
        for (place, item) in self.columns[column].iter().enumerate() {
            places[*item] = place;
        }
        places
    }

    /// How often lines cross.
    fn crossings(&self) -> usize {
        let pairs = self.columns.iter().zip(1..self.columns.len());
        pairs
            .map(|(column, next)| {
                let places = self.places(next);
                let ends: Vec<usize> = column
                    .iter()
                    .flat_map(|item| {
                        let mut ends: Vec<usize> =
                            self.right[*item].iter().map(|to| places[*to]).collect();
                        ends.sort_unstable();
                        ends
                    })
                    .collect();
                inversions(&ends, self.columns[next].len())
            })
            .sum()
    }

    fn is_box(&self, item: usize) -> bool {
        item < self.boxes
    }

    /// The middle of each item: as near to what it is connected with as its neighbours allow.
    fn heights(&self) -> Vec<f64> {
        let mut heights = vec![0.0; self.left.len()];
        for column in &self.columns {
            let mut at = 0.0;
            for item in column {
                heights[*item] = at;
                at += STEP;
            }
        }
        for sweep in 0..SWEEPS {
            let rightwards = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 0..count {
                let column = if rightwards { step } else { count - 1 - step };
                self.settle(column, &mut heights);
            }
        }
        heights
    }

    fn settle(&self, column: usize, heights: &mut [f64]) {
        let items = &self.columns[column];
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(items.len());
        let mut wanted = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                let both = self.is_box(*item) && self.is_box(items[place - 1]);
                let any = self.is_box(*item) || self.is_box(items[place - 1]);
                offset += if both {
                    STEP
                } else if any {
                    (STEP + THIN) / 2.0
                } else {
                    THIN
                };
            }
            offsets.push(offset);
            let (mut sum, mut weight) = (0.0, 0.0);
            for other in self.left[*item].iter().chain(&self.right[*item]) {
                // Long lines are kept straight.
                let pull = if self.is_box(*other) || self.is_box(*item) {
                    1.0
                } else {
                    4.0
                };
                sum += heights[*other] * pull;
                weight += pull;
            }
            let height = if weight > 0.0 {
                sum / weight
            } else {
                heights[*item]
            };
            wanted.push((height - offset, if weight > 0.0 { weight } else { 0.1 }));
        }
        for ((item, offset), height) in items.iter().zip(offsets).zip(isotonic(&wanted)) {
            heights[*item] = height + offset;
        }
    }

    fn drawing(
        &self,
        widths: &[i32],
        edges: &[(usize, usize)],
        chains: &[Option<Vec<usize>>],
        heights: &[f64],
    ) -> Drawing {
        let used = || self.columns.iter().flatten();
        let top = used().map(|i| heights[*i]).fold(f64::INFINITY, f64::min);
        let top = if top.is_finite() { top } else { 0.0 };
        let bottom = used().map(|i| heights[*i] - top).fold(0.0, f64::max);
        let middle = |item: usize| whole(heights[item] - top + MARGIN + f64::from(HEIGHT) / 2.0);
        let mut columns = Vec::new();
        let mut at = MARGIN;
        for column in &self.columns {
            let boxes = column.iter().filter(|item| self.is_box(**item));
            let width = boxes.map(|item| widths[*item]).max().unwrap_or(0);
            columns.push((whole(at), whole(at) + width));
            at += f64::from(width) + GAP;
        }
        let mut places = vec![Place::default(); widths.len()];
        let mut column_of = vec![0; self.left.len()];
        for (index, column) in self.columns.iter().enumerate() {
            for item in column {
                column_of[*item] = index;
                if let Some(place) = places.get_mut(*item) {
                    *place = Place {
                        x: columns[index].0,
                        y: middle(*item) - HEIGHT / 2,
                        column: Some(index),
                    };
                }
            }
        }
        let lines = edges.iter().zip(chains).map(|((from, to), chain)| {
            let chain = chain.clone().unwrap_or_default();
            let stretch = |item: &usize| {
                let (start, end) = columns[column_of[*item]];
                let end = widths.get(*item).map_or(end, |width| start + width);
                (start, end, middle(*item))
            };
            Line {
                from: *from,
                to: *to,
                implied: chain.is_empty(),
                points: chain.iter().map(stretch).collect(),
            }
        });
        let lines = lines.collect();
        let width = columns.last().map_or(0, |(_, end)| *end);
        let height = match columns.is_empty() {
            true => 0,
            false => whole(bottom + f64::from(HEIGHT) + MARGIN * 2.0),
        };
        let mut drawing = Drawing {
            width: width + whole(MARGIN),
            height,
            places,
            lines,
        };
        drawing.add_rows(widths);
        drawing
    }
}

impl Drawing {
    /// Boxes without lines stand below all others, in rows.
    fn add_rows(&mut self, widths: &[i32]) {
        let margin = whole(MARGIN);
        let limit = self.width.max(whole(ROW));
        let (mut x, mut y) = (margin, self.height + margin);
        let mut any = false;
        for (place, width) in self.places.iter_mut().zip(widths) {
            if place.column.is_some() {
                continue;
            }
            if x > margin && x + width > limit - margin {
                x = margin;
                y += whole(STEP);
            }
            (place.x, place.y) = (x, y);
            x += width + margin;
            self.width = self.width.max(x);
            any = true;
        }
        if any {
            self.height = y + HEIGHT + margin;
        }
    }
}

fn whole(value: f64) -> i32 {
    // The cast saturates; no drawing is that large.
    value.round() as i32
}

/// How many pairs of a sequence are in the wrong order (Fenwick tree).
fn inversions(values: &[usize], bound: usize) -> usize {
    let mut tree = vec![0_usize; bound + 1];
    let mut count = 0;
    for (seen, value) in values.iter().enumerate() {
        let (mut at, mut not_greater) = (value + 1, 0);
        while at > 0 {
            not_greater += tree[at];
            at &= at - 1;
        }
        count += seen - not_greater;
        let mut at = value + 1;
        while at <= bound {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

/// The sequence that never falls and is nearest to the wanted values with these weights.
fn isotonic(wanted: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(wanted.len());
    for (value, weight) in wanted {
        let mut block = (*value, *weight, 1);
        while let Some(last) = blocks.pop() {
            if last.0 <= block.0 {
                blocks.push(last);
                break;
            }
            let weight = last.1 + block.1;
            let value = (last.0 * last.1 + block.0 * block.1) / weight;
            block = (value, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    blocks
        .into_iter()
        .flat_map(|(value, _, count)| std::iter::repeat_n(value, count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_to_the_right_and_implied_lines_are_marked() {
        let drawing = layout(&[80; 4], &[(0, 1), (1, 2), (0, 2), (0, 3), (2, 3)]);
        let columns: Vec<_> = drawing.places.iter().map(|p| p.column).collect();
        assert_eq!(columns, [Some(0), Some(1), Some(2), Some(3)]);
        let implied = drawing.lines.iter().map(|l| (l.from, l.to, l.implied));
        let implied: Vec<_> = implied.into_iter().filter(|l| l.2).collect();
        assert_eq!(implied, [(0, 2, true), (0, 3, true)]);
    }

    #[test]
    fn boxes_never_overlap_whatever_the_graph() {
        // A small generator: every seed another graph, with cycles.
        for seed in 1_usize..60 {
            let count = 3 + seed % 40;
            let mut state = seed;
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(99);
                (state >> 33) % count
            };
            let edges: Vec<_> = (0..count * 2).map(|_| (next(), next())).collect();
            let drawing = layout(&vec![90; count], &edges);
            assert_eq!(drawing, layout(&vec![90; count], &edges));
            for (index, a) in drawing.places.iter().enumerate() {
                assert!(a.x >= 0 && a.y >= 0 && a.x + 90 <= drawing.width);
                assert!(a.y + HEIGHT <= drawing.height);
                for b in &drawing.places[index + 1..] {
                    let apart = (a.x - b.x).abs() >= 90 || (a.y - b.y).abs() >= HEIGHT;
                    assert!(apart, "seed {seed}: {a:?} {b:?}");
                }
            }
            for line in drawing.lines.iter().filter(|l| !l.implied) {
                assert!(line.points.windows(2).all(|p| p[0].1 < p[1].0), "{line:?}");
            }
        }
    }

    #[test]
    fn nothing_and_boxes_alone_are_drawn_too() {
        assert!(layout(&[], &[]).places.is_empty());
        let drawing = layout(&[500, 500, 500], &[(0, 0), (9, 1)]);
        let at: Vec<_> = drawing.places.iter().map(|p| (p.x, p.y)).collect();
        assert_eq!(at, [(16, 16), (532, 16), (16, 48)]);
    }

    #[test]
    fn a_line_round_a_cycle_is_drawn_backwards() {
        let drawing = layout(&[50; 2], &[(0, 1), (1, 0)]);
        assert_eq!(drawing.lines.len(), 2);
        assert_eq!(drawing.lines[1].from, 1);
        assert_eq!(drawing.lines[1].points, drawing.lines[0].points);
    }

    #[test]
    fn inversions_and_isotonic_sequences_are_right() {
        assert_eq!(inversions(&[2, 0, 1, 0], 3), 4);
        assert_eq!(
            isotonic(&[(3.0, 1.0), (1.0, 1.0), (5.0, 1.0)]),
            [2.0, 2.0, 5.0]
        );
    }
}
