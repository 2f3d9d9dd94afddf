"""JMeter: what ``jmeter -Jjmeter.save.saveservice.output_format=xml -l`` writes, whatever detail was saved."""
