"""JMeter's results as text with delimiters (CSV): what ``jmeter -l results.jtl`` writes unless it is told otherwise."""
