select auction, day, count(*) as total_bids, count(*) filter (rank = 1) as rank1_bids, count(*) filter (rank = 2) as rank2_bids, count(*) filter (rank = 3) as rank3_bids,
  min(price) as min_price, max(price) as max_price, avg(price) as avg_price, sum(price) as sum_price
from (select *, case when price < 10000 then 1 when price < 1000000 then 2 else 3 end as rank, cast(epoch_ms(date_time) as date) as day from bid)
group by auction, day
