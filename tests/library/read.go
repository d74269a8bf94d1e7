// Read says of each file that is named on a line of standard input whether the TOML library that
// GitLab Runner uses reads it.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/BurntSushi/toml"
)

func verdict(path string) (verdict string) {
	defer func() {
		if recover() != nil {
			verdict = "refused"
		}
	}()
	found := map[string]interface{}{}
	if _, err := toml.DecodeFile(path, &found); err != nil {
		return "refused"
	}
	return "read"
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(verdict(lines.Text()))
	}
}
