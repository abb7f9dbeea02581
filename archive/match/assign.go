package match

// assign gives each row a column of its own so that the sum of the scores is the
// highest possible, and -1 to a row for which nothing better than 0 is left. It is
// the Hungarian method with potentials, O(rows² · columns), on costs that are the
// negative scores; every row also has a column that costs nothing.
func assign(scores [][]float64) []int {
	rows := len(scores)
	columns := len(scores[0]) + rows
	cost := func(i, j int) float64 {
		if j < len(scores[i]) {
			return -scores[i][j]
		}
		return 0
	}
	// Rows and columns count from 1; column 0 holds the row being placed.
	u, v := make([]float64, rows+1), make([]float64, columns+1)
	rowOf := make([]int, columns+1)
	for i := 1; i <= rows; i++ {
		place(i, u, v, rowOf, cost)
	}
	columnOf := make([]int, rows)
	for j := 1; j <= columns; j++ {
		if i := rowOf[j] - 1; i >= 0 {
			columnOf[i] = j - 1
			if cost(i, j-1) == 0 {
				columnOf[i] = -1
			}
		}
	}
	return columnOf
}

// place finds the cheapest way to give row i a column, moving earlier rows along
// the path (Dijkstra over reduced costs).
func place(i int, u, v []float64, rowOf []int, cost func(i, j int) float64) {
	const none = 1e9
	columns := len(rowOf)
	least, from, done := make([]float64, columns), make([]int, columns), make([]bool, columns)
	for j := range least {
		least[j] = none
	}
	rowOf[0] = i
	at := 0
	for rowOf[at] != 0 {
		done[at] = true
		row, step, next := rowOf[at], none, 0
		for j := 1; j < columns; j++ {
			if done[j] {
				continue
			}
			if c := cost(row-1, j-1) - u[row] - v[j]; c < least[j] {
				least[j], from[j] = c, at
			}
			if least[j] < step {
				step, next = least[j], j
			}
		}
		for j := range columns {
			if done[j] {
				u[rowOf[j]] += step
				v[j] -= step
			} else {
				least[j] -= step
			}
		}
		at = next
	}
	for at != 0 {
		rowOf[at] = rowOf[from[at]]
		at = from[at]
	}
}
