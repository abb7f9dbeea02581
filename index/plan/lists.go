package plan

import (
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// appendKey adds what is not there yet and can be found as a key.
func appendKey(keys []string, more ...string) []string {
	for _, k := range more {
		if k != "" && len(k) <= maxKey && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
